package idp_test

import (
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// The examples of libraries for the browser use these paths, at a port of their own (RFC 8252 §7.3).
func TestTheBuiltInClientHasThePathsOfLibraries(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	for _, host := range []string{"http://localhost:5173", "http://127.0.0.1:4200"} {
		for _, path := range []string{
			"", "/", "/index.html", "/callback", "/login/callback", "/authentication/callback",
			"/authentication/silent-callback", "/silent-renew.html", "/silent-refresh.html", "/silent-check-sso.html",
		} {
			if page := b.Authorize(idptest.Request("spa", "redirect_uri", host+path)); page.Location == nil ||
				page.Location.Query().Get("code") == "" {
				t.Errorf("%s%s is answered %d, without a code", host, path, page.Status)
			}
		}
	}
}
