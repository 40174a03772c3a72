package device

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzStoredDevice: whatever the store holds for a device, it gives tokens for its own secret, to its own client, while
// it lasts, and after a person allowed it. Nobody can decide twice.
func FuzzStoredDevice(f *testing.F) {
	now := storagetest.NewClock().Now()
	waiting := Pending{ID: "g", ClientID: "tv", CodeHash: oidc.NewSecret("secret").Hash(), ExpiresAt: now.Add(time.Minute),
		Interval: Interval}
	allowed, denied, spent := waiting, waiting, waiting
	granted := alice(now)
	allowed.Decision, allowed.Grant = Allow, &granted
	denied.Decision = Deny
	spent.Decision, spent.SpentAt = Allow, now
	for _, record := range []any{waiting, allowed, denied, spent, Pending{}, pointer{ID: "g"}, nil, "", 7,
		map[string]any{"decision": "allow", "grant": nil}} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "g.secret")
		f.Add(text, "g.")
	}
	f.Fuzz(func(t *testing.T, record []byte, code string) {
		r := newFixture()
		r.records = storage.NewBucket[Pending]("device", storagetest.Holding(record))
		r.userCodes = storage.NewBucket[pointer]("user-code", storagetest.Holding([]byte(`{"grant_id":"g"}`)))
		var p Pending
		readable := json.Unmarshal(record, &p) == nil
		_, secret, _ := strings.Cut(code, ".")
		if _, err := r.Redeem(t.Context(), &tv, code); err == nil &&
			!(readable && p.Decision == Allow && p.Grant != nil && p.ClientID == "tv" &&
				p.SpentAt.IsZero() && now.Before(p.ExpiresAt) && p.CodeHash == oidc.NewSecret(secret).Hash()) {
			t.Errorf("%s gives tokens for %q", record, code)
		}
		found, err := r.Find(t.Context(), "BCDF-GHJK")
		if err == nil && found.Decision != "" {
			t.Errorf("%s, which is decided, is found by its user code", record)
		}
		if err := r.Decide(t.Context(), Pending{ID: "g"}, Allow, grant.Grant{Sub: "bob"}); err == nil && p.Decision != "" {
			t.Errorf("%s is decided twice", record)
		}
	})
}

// FuzzUserCode: what a person types is the code of its letters, or none.
func FuzzUserCode(f *testing.F) {
	for _, typed := range []string{"WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "", "-", "ſ", "ı", "ＷＤＪＢ", "WDJB-MJHT-WDJB",
		"\xff\x00", "aeiou"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		code := normalize(typed)
		if strings.Trim(code, letters) != "" || normalize(code) != code || normalize(formatted(typed)) != code {
			t.Errorf("%q is %q, shown as %q", typed, code, formatted(typed))
		}
	})
}
