package idp_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// RFC 3986 §2.1: a blank is %20. A plus sign means a blank in forms only; decodeURIComponent leaves it as it is.
func TestBlanksInRedirectsAreNotPlusSigns(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	locations := map[string]string{
		"RFC 6749 §4.1.2.1 an error in the query": b.Authorize(idptest.Request("spa", "prompt", "none", "state", "a b+c")).
			Header.Get("Location"),
		"RFC 6749 §4.1.2.1 an error in the fragment": b.Authorize(
			idptest.Request("spa", "prompt", "none", "state", "a b+c", "response_mode", "fragment")).Header.Get("Location"),
	}
	b.SignIn("alice")
	answer := b.Authorize(idptest.Request("spa", "state", "a b+c"))
	locations["RFC 6749 §4.1.2 state of a code"] = answer.Header.Get("Location")
	tokens := b.Tokens("spa", answer.Location.Query().Get("code"))
	locations["RP-Initiated Logout §3 state of a logout"] = b.Get("/logout?" + url.Values{
		"id_token_hint": {tokens["id_token"].(string)}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"},
		"state": {"a b+c"},
	}.Encode()).Header.Get("Location")
	for name, location := range locations {
		if !strings.Contains(location, "a%20b%2Bc") || strings.Contains(location, "+") {
			t.Errorf("%s: the redirect is %s; want blanks as %%20", name, location)
		}
	}
}
