package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// Nobody is signed in, so the page has nothing to ask. The hint is of a provider whose keys are lost.
func TestALogoutWithoutASession(t *testing.T) {
	other := idptest.Start(t, nil).Browser(t)
	other.SignIn("alice")
	foreign := other.Tokens("spa", other.Code(idptest.Request("spa")))["id_token"].(string)
	for _, row := range []struct {
		name   string
		change []string
		to     string
		page   string
	}{
		{"RP-Initiated Logout §4 a hint that did not validate is not used", nil, "http://localhost:9090/spa/?state=s", ""},
		{"RP-Initiated Logout §2 client_id alone names the client", []string{"id_token_hint", ""},
			"http://localhost:9090/spa/?state=s", ""},
		{"RP-Initiated Logout §3 an address that is not registered gets no redirect",
			[]string{"post_logout_redirect_uri", "https://evil.test/"}, "", "registered: "},
		{"RP-Initiated Logout §2 without a client there is no redirect", []string{"client_id", ""}, "",
			"client_id or id_token_hint names the client"},
		{"RP-Initiated Logout §2 an unknown client gets no redirect", []string{"client_id", "nobody"}, "", "got nobody"},
		{"RP-Initiated Logout §2 another client's address gets no redirect", []string{"client_id", "web"}, "", "client web"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			t.Run(row.name+" by "+method, func(t *testing.T) {
				b := idptest.Start(t, nil).Browser(t)
				params := url.Values{"id_token_hint": {foreign}, "client_id": {"spa"}, "state": {"s"},
					"post_logout_redirect_uri": {registeredLogout}}
				for i := 0; i < len(row.change); i += 2 {
					params.Set(row.change[i], row.change[i+1])
				}
				page := logout(b, method, params)
				switch {
				case row.to == "":
					wantPage(t, page, http.StatusOK, row.page)
					if strings.Contains(page.Body, "logout-confirm") || strings.Contains(page.Body, `id="return-to"`) {
						t.Errorf("the page asks, or leads away:\n%s", page.Body)
					}
				case page.Location == nil || page.Location.String() != row.to:
					t.Errorf("got %d %v; want %s", page.Status, page.Location, row.to)
				}
			})
		}
	}
}

// The console's flow shows each check of a logout, and the reason of the first that does not hold.
func TestTheFlowOfALogoutShowsItsChecks(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	b.Get("/logout?client_id=spa&post_logout_redirect_uri=https%3A%2F%2Fevil.test%2F&id_token_hint=garbage")
	transcript := p.LastFlow(t).Transcript()
	for _, want := range []string{
		"client_id is registered at this provider", "the id_token_hint is an ID token of this provider",
		"post_logout_redirect_uri is registered for the client", string(oidc.HintUnreadable),
		string(oidc.RedirectUnregistered),
	} {
		if !strings.Contains(transcript, want) {
			t.Errorf("the transcript does not say %q:\n%s", want, transcript)
		}
	}
}
