package idp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

func TestTheAccountPage(t *testing.T) {
	p := idptest.Start(t, nil)
	wantPage(t, p.Browser(t).Get("/account"), http.StatusOK, `id="account-login"`)
	b, phone, bobs := p.Browser(t), p.Browser(t), p.Browser(t)
	b.SignIn("alice")
	phone.SignIn("alice")
	phone.SignIn("bob")
	bobs.SignIn("bob")
	page := b.Get("/account")
	for _, want := range []string{`id="this-session"`, `id="session-0-end"`, `id="session-1-end"`, `id="end-others"`} {
		wantPage(t, page, http.StatusOK, want)
	}
	if strings.Contains(page.Body, "session-2-end") || strings.Contains(page.Body, "Robert") {
		t.Errorf("alice sees what is bob's:\n%s", page.Body)
	}
	sid := regexp.MustCompile(`name="sid" value="([^"]+\.[^"]+)"`).FindStringSubmatch(page.Body)
	if forged := b.Post("/account/sessions", url.Values{"sid": {sid[1]}}); forged.Status != http.StatusForbidden {
		t.Errorf("a form without the CSRF token gives %d; want 403", forged.Status)
	}
	bobs.Submit(bobs.Get("/account"), url.Values{"sid": {sid[1]}}) // the sid is no secret, but alice's
	if !strings.Contains(b.Get("/account").Body, "session-1-end") {
		t.Error("bob ended a session of alice")
	}
	b.Submit(page, url.Values{"sid": {sid[1]}})
	if page := b.Get("/account"); strings.Contains(page.Body, "session-1-end") {
		t.Errorf("the session was not ended:\n%s", page.Body)
	}
	if got := subject(t, phone, phone.Code(idptest.Request("spa", "prompt", "none"))); got != "bob" {
		t.Errorf("on the phone %v is signed in; want bob, whom nobody signed out", got)
	}
}

func TestAnAppWithLastingAccessIsSeenAndEnded(t *testing.T) { // Core §11, Back-Channel Logout §2.7
	p := idptest.Start(t, withOffline)
	b := p.Browser(t)
	b.SignIn("alice")
	tokens := allow(t, b, "spa")
	page := b.Get("/account")
	wantPage(t, page, http.StatusOK, `id="app-spa-end"`)
	wantPage(t, page, http.StatusOK, "has access while you are away")
	bob := p.Browser(t)
	bob.SignIn("bob")
	allow(t, bob, "spa")
	bob.Submit(bob.Get("/account"), url.Values{"sub": {"alice"}, "client_id": {"spa"}}) // whose name he knows
	tokens = refresh(b, "spa", tokens).JSON(t)
	if tokens["refresh_token"] == nil {
		t.Fatalf("bob ended what alice allowed: %v", tokens)
	}
	b.Submit(page, url.Values{"client_id": {"spa"}})
	if page := b.Get("/account"); strings.Contains(page.Body, "app-spa-end") {
		t.Errorf("the app was not ended:\n%s", page.Body)
	}
	if page := refresh(b, "spa", tokens); page.Status != http.StatusBadRequest {
		t.Errorf("its refresh token gives %d; want 400", page.Status)
	}
}

// The sessions of one kind of browser are one group, which shows the newest.
func TestTheAccountPageGroupsSessionsByBrowser(t *testing.T) {
	p := idptest.Start(t, nil)
	for range 3 {
		p.Browser(t).SignIn("alice")
	}
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Get("/account")
	if !strings.Contains(page.Body, "2 more sessions of") || !strings.Contains(page.Body, "last used just now") {
		t.Errorf("the page is\n%s", page.Body)
	}
	if strings.Index(page.Body, `id="end-others"`) > strings.Index(page.Body, `id="this-session"`) {
		t.Error("the button for all other browsers comes after the list")
	}
}
