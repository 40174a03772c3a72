package trace_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/trace"
)

func TestSecretsNeverAppearWhole(t *testing.T) {
	for _, row := range []struct{ text, name, value, want string }{
		{"a secret shows six characters and its length", "code_verifier", verifier, "dBjftJ… (43 characters)"},
		{"a short secret shows its length only", "client_secret", "hunter2", "(7 characters)"},
		{"so does one of twelve characters", "client_secret", "abcdefghijkl", "(12 characters)"},
		{"characters are counted, not bytes", "client_secret", "äöüäöüäöüäöüä", "äöüäöü… (13 characters)"},
		{"an empty one is said to be empty", "code", "", "(empty)"},
		{"a password shows not even its length", "password", "correct horse battery staple", "(not shown)"},
		{"nor does a new one", "new_password", "correct horse battery staple", "(not shown)"},
		{"what sounds like a token is one", "subject_token", verifier, "dBjftJ… (43 characters)"},
		{"case does not matter", "Client_Secret", verifier, "dBjftJ… (43 characters)"},
		{"the type of a token is no secret", "token_type", "Bearer", "Bearer"},
		{"the hash of a verifier is no secret", "code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
			"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"},
		{"anything else is shown", "scope", "openid email", "openid email"},
		{"up to three hundred characters", "scope", strings.Repeat("é", 301), strings.Repeat("é", 300) + "…"},
	} {
		t.Run(row.text, func(t *testing.T) {
			got := trace.Params(url.Values{row.name: {row.value}})
			if len(got) != 1 || got[0].Name != row.name || got[0].Text != row.want {
				t.Errorf("%s=%s is shown as %+v; expected %s", row.name, row.value, got, row.want)
			}
		})
	}
}

func TestParametersStandInOrderAndAreNotEndless(t *testing.T) {
	got := trace.Params(url.Values{"b": {"2", "1"}, "a": {"0"}, "c": make([]string, 100)})
	if len(got) != 50 {
		t.Fatalf("%d parameters are kept; expected 50", len(got))
	}
	if got := trace.Params(url.Values{"b": {"2", "1"}, "a": {"0"}}); got[0].Name != "a" || got[1].Text != "2" ||
		got[2].Text != "1" {
		t.Errorf("the order is %v; expected a, and then b as it came", got)
	}
}

func TestATokenIsShownDecodedWithoutItsSignature(t *testing.T) {
	data, err := json.Marshal(trace.JWT("id_token", idToken))
	if err != nil {
		t.Fatal(err)
	}
	same(
		t,
		"the JSON",
		string(data),
		`{"name":"id_token","text":"eyJhbG… (122 characters)"`+
			`,"decoded":{"header":{"alg":"ES256","typ":"JWT"},"claims":{"iss":"https://idp.example","sub":"alice"}}}`,
	)
	var back trace.Value
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "read and written again", string(again), string(data))
}

func TestWhatIsNoTokenIsOnlyMasked(t *testing.T) {
	for _, row := range []struct{ text, value, want string }{
		{"an opaque one", strings.Repeat("x", 40), `{"name":"access_token","text":"xxxxxx… (40 characters)"}`},
		{"an encrypted one", "a.b.c.d.e" + strings.Repeat("x", 40),
			`{"name":"access_token","text":"a.b.c.… (49 characters)"}`},
		{"one too large", strings.Repeat("x", 9000) + "..", `{"name":"access_token","text":"xxxxxx… (9002 characters)"}`},
		{"one that is JSON without its last part", "1.2.x",
			`{"name":"access_token","text":"(5 characters)","decoded":{"header":null,"claims":null}}`},
		{"one that begins like JSON", "{aaa.bbb.signature",
			`{"name":"access_token","text":"{aaa.b… (18 characters)","decoded":{"header":null,"claims":null}}`},
		{"one that only looks so", "not base64!.really.signature",
			`{"name":"access_token","text":"not ba… (28 characters)","decoded":{"header":null,"claims":null}}`},
	} {
		t.Run(row.text, func(t *testing.T) {
			data, err := json.Marshal(trace.JWT("access_token", row.value))
			if err != nil {
				t.Fatal(err)
			}
			same(t, "the JSON", string(data), row.want)
		})
	}
}
