package idp_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
)

// Core §3.1.2.1: with max_age the provider "MUST attempt to actively re-authenticate the End-User". A time that the
// provider recorded before its clock was set back proves nothing.
func TestAnActionBeforeTheClockWentBackFulfilsNoRequest(t *testing.T) {
	p := idptest.Start(t, withThirdParty)
	b := p.Browser(t)
	params := func(change ...string) url.Values {
		change = append(change, "client_id", "third", "redirect_uri", "https://app.test/cb")
		return idptest.Request("spa", change...)
	}
	b.SignIn("alice")
	wantCode(t, submit(t, b, open(t, b, params()), "decision", "allow"))
	p.Clock.Pass(-time.Hour)
	for _, row := range []struct{ name, value, page string }{
		{"prompt", "login", "/login"},
		{"prompt", "select_account", "/select_account"},
		{"prompt", "consent", "/consent"},
		{"max_age", "0", "/login"},
		{"max_age", "1800", "/login"},
	} {
		page := b.Authorize(params(row.name, row.value))
		if page.Location == nil || page.Location.Path != row.page {
			t.Errorf("%s=%s gives %d to %v; want %s", row.name, row.value, page.Status, page.Location, row.page)
		}
	}
	wantCode(t, submit(t, b, open(t, b, params("prompt", "login")), "username", "alice", "password", "alice"))
}

// Core §3.1.2.1: a request whose page was open while the clock went back is fulfilled by one more action of the user.
func TestAPageThatWasOpenWhileTheClockWentBackAsksOnceMore(t *testing.T) {
	for _, row := range []struct {
		prompt string
		action []string
	}{
		{"login", []string{"username", "alice", "password", "alice"}},
		{"select_account", []string{"account", "alice"}},
		{"consent", []string{"decision", "allow"}},
	} {
		t.Run(row.prompt, func(t *testing.T) {
			p := idptest.Start(t, withThirdParty)
			b := p.Browser(t)
			b.SignIn("alice")
			params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb", "prompt", "consent")
			wantCode(t, submit(t, b, open(t, b, params), "decision", "allow"))
			params.Set("prompt", row.prompt)
			page := open(t, b, params)
			p.Clock.Pass(-time.Hour)
			page = submit(t, b, page, row.action...)
			wantCode(t, submit(t, b, page, row.action...))
		})
	}
}

// A user may allow a client again what was taken back at a time that, after the clock was set back, is in the future.
func TestAConsentThatWasTakenBackBeforeTheClockWentBackCanBeGivenAgain(t *testing.T) {
	p := idptest.Start(t, withThirdParty)
	b := p.Browser(t)
	params := idptest.Request("spa", "client_id", "third", "redirect_uri", "https://app.test/cb", "prompt", "consent")
	tokens := func() idptest.Page {
		code := answer(t, submit(t, b, open(t, b, params), "decision", "allow")).Get("code")
		return b.Post("/token", url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {"https://app.test/cb"},
			"client_id": {"third"}, "code_verifier": {idptest.CodeVerifier},
		})
	}
	b.SignIn("alice")
	before := tokens().JSON(t)["access_token"].(string)
	p.Clock.Pass(time.Second)
	b.Submit(b.Get("/account"), url.Values{"client_id": {"third"}, "sub": {"alice"}})
	p.Clock.Pass(-time.Hour)
	page := b.GetWithToken("/userinfo", tokens().JSON(t)["access_token"].(string))
	if page.Status != http.StatusOK {
		t.Errorf("userinfo answers %d %s; want the claims, because the user allowed it again", page.Status, page.Body)
	}
	if page := b.GetWithToken("/userinfo", before); page.Status != http.StatusUnauthorized {
		t.Errorf("userinfo answers %d to the token that was taken back; want 401", page.Status)
	}
}
