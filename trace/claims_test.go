package trace_test

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/trace"
)

// granted is a token answer with this scope.
func granted(scope string) change {
	return func(r *trace.Record) {
		r.Answer = []trace.Value{trace.Plain("expires_in", "300"), trace.Plain("scope", scope)}
	}
}

// tokenWith redeems the code of a sign-in, and gets an ID token with these claims.
func tokenWith(h *trace.Hub, claims string) {
	raw := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c2ln"
	send(h, trace.Record{
		Endpoint: "token", Method: "POST", Status: 200, ClientID: "spa",
		Params: trace.Params(url.Values{"code": {code}}),
		Answer: []trace.Value{trace.Plain("scope", "openid email profile")},
	}, jti, nil, trace.Step{Kind: trace.KindToken, Values: []trace.Value{trace.JWT("id_token", raw)}})
}

// Each row is a sign-in with a token answer that has scope openid profile, or one change of it.
func TestAnAppThatMayShowNoNameIsSeen(t *testing.T) { // Core §5.4
	for _, row := range []struct {
		text   string
		happen func(h *trace.Hub)
		seen   bool
	}{
		{"a sign-in without userinfo", func(h *trace.Hub) {
			authorize(h, visible)
			token(h, granted("openid profile"))
		}, true},
		{"scope email", func(h *trace.Hub) { authorize(h, visible); token(h, granted("openid email")) }, true},
		{"neither scope", func(h *trace.Hub) { authorize(h, visible); token(h, granted("openid orders")) }, false},
		{"a renewal", func(h *trace.Hub) { authorize(h); token(h, granted("openid profile")) }, false},
		{"userinfo is asked", func(h *trace.Hub) {
			authorize(h, visible)
			token(h, granted("openid profile"))
			userinfo(h)
		}, false},
		{"the request has the parameter claims", func(h *trace.Hub) {
			authorize(h, visible, params("client_id", "spa", "claims", `{"id_token":{"nickname":null}}`))
			token(h, granted("openid profile"))
		}, false},
		{"the ID token has a name", func(h *trace.Hub) {
			authorize(h, visible)
			tokenWith(h, `{"iss":"https://idp.example","sub":"alice","name":"Alice"}`)
		}, false},
		{"the ID token has what each one has", func(h *trace.Hub) {
			authorize(h, visible)
			tokenWith(h, `{"iss":"x","sub":"alice","aud":"spa","exp":1,"iat":1,"auth_time":1,"at_hash":"x","sid":"s","acr":"1",`+
				`"amr":["pwd"],"nonce":"n"}`)
		}, true},
		{"a code that is refused", func(h *trace.Hub) {
			authorize(h, visible)
			token(h, granted("openid profile"), failed(400, "invalid_grant", "pkce.mismatch"))
		}, false},
	} {
		t.Run(row.text, func(t *testing.T) {
			h := newHub(t)
			row.happen(h)
			if seen := slices.Contains(reasons(only(t, h)), "claims.unasked"); seen != row.seen {
				t.Errorf("the reasons are %v", reasons(only(t, h)))
			}
			said := why(t, h, "claims.unasked")
			for _, want := range []string{"Inferred: ", "client spa the line id_token_claims: scope"} {
				if row.seen && !strings.Contains(said, want) {
					t.Errorf("it says %q; want %q", said, want)
				}
			}
		})
	}
}
