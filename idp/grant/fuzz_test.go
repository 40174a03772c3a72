package grant_test

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzStoredCode: whatever the store holds under a code, a spent one gives nothing, and one that can be read gives the grant
// that was written.
func FuzzStoredCode(f *testing.F) {
	now := storagetest.NewClock().Now()
	for _, record := range []any{
		grant.Code{Grant: good(now)}, grant.Code{}, grant.Code{Grant: grant.Grant{ID: "g"}, SpentAt: now, TokensUntil: now.Add(time.Hour)},
		grant.Code{SpentAt: now}, nil, "", 7, []string{"x"},
	} {
		f.Add(seed(f, record))
	}
	f.Add([]byte(`{"grant":null,"spent_at":"0001-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"grant":{"scope":[null],"amr":null},"tokens_until":"9999-12-31T23:59:59+23:59","spent_at":"2026-01-01T00:00:00Z"}`))
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newDesk()
		d.Codes = storage.NewBucket[grant.Code]("code", storagetest.Holding(record))
		granted, err := d.Redeem(t.Context(), "code", tokenLifetime)
		var code grant.Code
		readable := len(record) > 0 && json.Unmarshal(record, &code) == nil
		switch {
		case !readable && err == nil, readable && code.SpentAt.IsZero() != (err == nil):
			t.Errorf("%s: Redeem = %+v, %v", record, granted, err)
		case readable && err != nil && !errors.Is(err, grant.ErrReplayed):
			t.Errorf("%s: %v; want ErrReplayed", record, err)
		case err == nil:
			checkGrant(t, granted, code.Grant)
		}
	})
}

func seed(f *testing.F, record any) []byte {
	f.Helper()
	text, err := json.Marshal(record)
	if err != nil {
		f.Fatal(err)
	}
	return text
}

// checkGrant holds that the grant is the stored one, and that it can be stored again.
func checkGrant(t *testing.T, granted, stored grant.Grant) {
	t.Helper()
	if diff := cmp.Diff(stored, granted); diff != "" {
		t.Errorf("Redeem (-stored +got):\n%s", diff)
	}
	if _, err := newDesk().Issue(t.Context(), granted); err != nil {
		t.Errorf("%+v can be read but not written: %v", granted, err)
	}
}

// FuzzStoredConsents: whatever the store holds for a user, it can be added to or is an error.
func FuzzStoredConsents(f *testing.F) {
	now := storagetest.NewClock().Now()
	for _, record := range []any{map[string]grant.Consent{"spa": {Scope: oidc.Scope{"openid"}, GrantedAt: now}}, map[string]any{"spa": nil}, map[string]any{}, nil, "", 7} {
		f.Add(seed(f, record))
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		d := newDesk()
		d.consents.Records = storage.NewBucket[map[string]grant.Consent]("consent", storagetest.Holding(record))
		before, err := d.consents.Of(t.Context(), "alice")
		if remembered := d.consents.Remember(t.Context(), "alice", "spa", oidc.Scope{"email"}); len(record) > 0 && (err == nil) != (remembered == nil) {
			t.Errorf("%s: Of = %v, %v; Remember = %v", record, before, err, remembered)
		}
		if forgotten := d.consents.Forget(t.Context(), "alice", "spa"); len(record) > 0 && (err == nil) != (forgotten == nil) {
			t.Errorf("%s: Of = %v, %v; Forget = %v", record, before, err, forgotten)
		}
	})
}
