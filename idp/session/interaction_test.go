package session_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

const retention = 24 * time.Hour

var (
	ourKey   = []byte(strings.Repeat("k", 32))
	otherKey = []byte(strings.Repeat("o", 32))
)

func sealer(keys ...[]byte) session.Seal[session.Interaction] { return sealerAt(time.Now(), keys...) }

func sealerAt(now time.Time, keys ...[]byte) session.Seal[session.Interaction] {
	return session.Seal[session.Interaction]{Purpose: session.ForAuthorize, SealTerms: session.SealTerms{
		Secrets: keys, Lifetime: retention, Now: func() time.Time { return now },
	}}
}

// waiting is an interaction with every field, and with what is hard to carry: repeated and strange parameters.
func waiting() session.Interaction {
	return session.Interaction{
		Params:    url.Values{"client_id": {"spa"}, "state": {"a;b&c=d é\x00", "again"}, "empty": {""}},
		StartedAt: time.Date(2027, 1, 15, 8, 0, 0, 123456789, time.UTC),
		ClientID:  "spa", Sub: "alice", Scope: oidc.Scope{"openid", "email"}, Reason: "You asked for it.",
		Denied: "the user said no",
	}
}

func mustSeal(t *testing.T, s session.Seal[session.Interaction]) string {
	t.Helper()
	sealed, err := s.Close(waiting())
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func TestWhatIsSealedComesBack(t *testing.T) {
	sealed := mustSeal(t, sealer(ourKey))
	if sealed != url.PathEscape(sealed) || sealed == "" {
		t.Errorf("%q is not fit for a URL as it is", sealed)
	}
	got, err := sealer(ourKey).Open(sealed)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(waiting(), got); diff != "" {
		t.Errorf("Open (-want +got):\n%s", diff)
	}
}

func TestASealedInteractionMayBeLong(t *testing.T) {
	long := waiting()
	long.Params.Set("state", strings.Repeat("s", 16<<10)) // as much as /authorize takes
	sealed, err := sealer(ourKey).Close(long)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := sealer(ourKey).Open(sealed); err != nil || got.Params.Get("state") != long.Params.Get("state") {
		t.Errorf("Open = %v; want the long state back", err)
	}
}

func TestOnlyALongTextIsCompressed(t *testing.T) {
	for _, row := range []struct {
		name   string
		state  int // length in bytes
		isZip  bool
		atMost int // length of the sealed text in bytes
	}{
		{"a short text needs no compressor", 100, false, 1 << 10},
		{"a long text stays short enough for a proxy", 16 << 10, true, 4 << 10},
	} {
		t.Run(row.name, func(t *testing.T) {
			value := waiting()
			value.Params.Set("state", strings.Repeat("s", row.state))
			sealed, err := sealer(ourKey).Close(value)
			if err != nil || len(sealed) > row.atMost {
				t.Errorf("%d bytes are sealed in %d, %v; want at most %d", row.state, len(sealed), err, row.atMost)
			}
			head, _, _ := strings.Cut(sealed, ".")
			header, err := base64.RawURLEncoding.DecodeString(head)
			if isZip := strings.Contains(string(header), `"zip":"DEF"`); err != nil || isZip != row.isZip {
				t.Errorf("the header is %s, %v", header, err)
			}
		})
	}
}

func TestKeysRotateUnderAnOpenPage(t *testing.T) {
	sealed := mustSeal(t, sealer(ourKey))
	if _, err := sealer(otherKey, ourKey).Open(sealed); err != nil {
		t.Errorf("a page sealed with what is the second key now: %v", err)
	}
	if _, err := sealer(otherKey).Open(mustSeal(t, sealer(otherKey, ourKey))); err != nil {
		t.Errorf("the first key seals, but: %v", err)
	}
}

// TestOpenRefuses takes a good sealed interaction and changes one thing about it.
func TestOpenRefuses(t *testing.T) {
	sealed := mustSeal(t, sealer(ourKey))
	codecs := session.Codecs([][]byte{ourKey}, retention)
	cookie, err := securecookie.EncodeMulti("hush-0a1b2c3d", []byte("id.secret"), codecs...)
	if err != nil {
		t.Fatal(err)
	}
	forLogout := sealer(ourKey)
	forLogout.Purpose = session.ForLogout
	ofAnother := sealer(ourKey)
	ofAnother.Issuer = "https://other.test"
	now := time.Now()
	for _, row := range []struct{ name, sealed string }{
		{"cut short", sealed[:len(sealed)-8]},
		{"lengthened", sealed + "AAAA"},
		{"sealed with another key", mustSeal(t, sealer(otherKey))},
		{"older than a day", mustSeal(t, sealerAt(now.Add(-retention-time.Minute), ourKey))},
		{"a session cookie, which the same key signs", cookie},
		{"a logout request, sealed with the same key", mustSeal(t, forLogout)},
		{"of another issuer, sealed with the same key", mustSeal(t, ofAnother)},
		{"not encrypted", unsealed(t)},
		{"no base64", "%%%"},
		{"nothing", ""},
	} {
		t.Run(row.name, func(t *testing.T) { checkRefused(t, row.sealed) })
	}
	if _, err := sealer(ourKey).Open(mustSeal(t, sealerAt(now.Add(time.Minute-retention), ourKey))); err != nil {
		t.Errorf("sealed a little less than a day ago: %v; want it opened, or the rows above prove nothing", err)
	}
}

// unsealed is the content of an interaction, signed with the provider's key and not encrypted.
func unsealed(t *testing.T) string {
	t.Helper()
	codecs := session.Codecs([][]byte{ourKey}, retention)
	content, err := json.Marshal(waiting())
	if err != nil {
		t.Fatal(err)
	}
	signed, err := securecookie.EncodeMulti(session.ForAuthorize, content, codecs...)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestAChangeOfAnyByteIsRefused(t *testing.T) {
	parts := strings.Split(mustSeal(t, sealer(ourKey)), ".")
	for i, part := range parts {
		raw, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		for j := range raw {
			raw[j] ^= 1
			changed := slices.Clone(parts)
			changed[i] = base64.RawURLEncoding.EncodeToString(raw)
			checkRefused(t, strings.Join(changed, "."))
			raw[j] ^= 1
		}
	}
}

// checkRefused holds that nothing of a refused interaction is used, and that the person is told what to do.
func checkRefused(t *testing.T, sealed string) {
	t.Helper()
	got, err := sealer(ourKey).Open(sealed)
	if err == nil {
		t.Fatalf("Open(%q) = %+v", sealed, got)
	}
	e := oidc.AsError(err)
	if e.Code != oidc.InvalidRequest || e.Status() != http.StatusBadRequest ||
		!strings.Contains(e.Description, "start again") {
		t.Errorf("Open = %v; want an invalid_request that says what to do", err)
	}
	if e.Unwrap() == nil {
		t.Error("the log is not told why")
	}
	if diff := cmp.Diff(session.Interaction{}, got); diff != "" {
		t.Errorf("Open returned a value and an error (-want +got):\n%s", diff)
	}
}
