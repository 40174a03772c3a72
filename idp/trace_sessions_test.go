package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// TestTheTraceTellsBrowsersApartByTheirSessions: four renewals, by one browser or by four with the same User-Agent.
func TestTheTraceTellsBrowsersApartByTheirSessions(t *testing.T) {
	for _, row := range []struct {
		name     string
		browsers int
		byToken  bool
		loop     bool
	}{
		{"one browser, silently", 1, false, true},
		{"four browsers, silently", 4, false, false},
		{"one browser, by refresh tokens", 1, true, true},
		{"four browsers, by refresh tokens", 4, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			var renewals []func()
			for range row.browsers {
				renewals = append(renewals, renewing(t, p, row.byToken))
			}
			p.Trace().Reset()
			for i := range 4 {
				renewals[i%len(renewals)]()
			}
			if got := codes(p.Trace().Flows()[0]); slices.Contains(strings.Fields(got), "renewal.looping") != row.loop {
				t.Errorf("the reasons are %q; want a loop: %v", got, row.loop)
			}
		})
	}
}

// renewing signs alice in with a new browser. The function that it returns renews her tokens once.
func renewing(t *testing.T, p *idptest.Provider, byToken bool) func() {
	b := p.Browser(t)
	b.SignIn("alice")
	if !byToken {
		return func() { redeem(b) }
	}
	tokens := allow(t, b, "spa")
	return func() {
		form := url.Values{"grant_type": {"refresh_token"}, "client_id": {"spa"}}
		form.Set("refresh_token", tokens["refresh_token"].(string))
		r := get(t, http.MethodPost, p.Issuer+"/token", form, "Sec-Fetch-Mode", "cors", "Origin", "http://localhost:9090")
		r.RequestURI = ""
		tokens = b.Do(r).JSON(t)
	}
}
