package access_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// FuzzStoredToken: whatever the store holds for an opaque token, it is good only for this issuer and until it expires,
// and any other answer is invalid_token or the error of a record that cannot be read.
func FuzzStoredToken(f *testing.F) {
	clock := storagetest.NewClock()
	good := access.Token{
		Issuer:   "http://idp.test",
		Subject:  "alice",
		ClientID: "spa",
		GrantID:  "g",
		JTI:      "j",
		Expiry:   clock.Now().Unix() + 60,
		AuthTime: 1,
	}
	recorded, bound := good, good
	recorded.HasRecord, bound.Confirmation = true, &access.Confirmation{JKT: "key"}
	for _, record := range []any{
		good, recorded, bound, access.Token{}, nil, "", 7,
		map[string]any{"aud": 7}, map[string]any{"userinfo_claims": map[string]any{"name": nil}},
	} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, "g.secret")
		f.Add(text, ".")
	}
	packed, err := good.MarshalMsg(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed, "g.secret")
	f.Add(packed[:len(packed)-1], "g.secret")
	f.Fuzz(func(t *testing.T, record []byte, raw string) {
		tokens := newFixture(t)
		tokens.Records = storage.NewBucket[access.Token]("access", storagetest.Holding(record))
		token, err := tokens.Read(t.Context(), raw)
		if err == nil && (token.Issuer != "http://idp.test" || token.Expiry <= clock.Now().Unix()) {
			t.Errorf("%s is good: %+v", record, token)
		}
		var readable access.Token
		isReadable := bytes.HasPrefix(record, []byte("{")) && json.Unmarshal(record, &readable) == nil
		if err != nil && isReadable && oidc.AsError(err).Code != oidc.InvalidToken {
			t.Errorf("%s: %v; want invalid_token", record, err)
		}
	})
}
