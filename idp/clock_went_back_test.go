package idp_test

import (
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
