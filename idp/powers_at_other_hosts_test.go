package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// atDevHost is a provider whose issuer is a host of dev_hosts, with these powers.
func atDevHost(t *testing.T, powers ...func(*idp.Config)) *idptest.Provider {
	return idptest.Start(t, func(c *idp.Config) {
		c.Issuer, c.DevHosts = "http://idp:8080", []string{"idp", "app"}
		for _, power := range powers {
			power(c)
		}
	})
}

const atApp = "http://app:9090/callback"

func TestAnyClientAtADevHost(t *testing.T) {
	for _, row := range []struct {
		name, uri string
		header    []string
		want      int
	}{
		{"an app at a dev host", atApp, nil, http.StatusSeeOther},
		{"an app on this machine", myApp, nil, http.StatusSeeOther},
		{"a page of a dev host", atApp, []string{"Referer", "http://app:9090/"}, http.StatusSeeOther},
		{"a redirect URI at a host that is not listed", "http://other:9090/callback", nil, http.StatusBadRequest},
		{"a redirect URI whose host only begins like a listed one", "http://app.evil.example/cb", nil,
			http.StatusBadRequest},
		{"a foreign page by its Referer", atApp, []string{"Referer", "https://evil.example/"}, http.StatusBadRequest},
		{"a foreign page by its Origin", atApp, []string{"Origin", "https://evil.example"}, http.StatusBadRequest},
		{"a page of another site without a Referer", atApp, []string{"Sec-Fetch-Site", "cross-site"},
			http.StatusBadRequest},
		{"DNS rebinding: a Host that is not listed", atApp, []string{"Host", "rebound.example.com"}, http.StatusBadRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := atDevHost(t, anyClient)
			ask := idptest.Request("mine", "redirect_uri", row.uri).Encode()
			r := get(t, http.MethodGet, p.Issuer+"/authorize?"+ask, nil, row.header...)
			if host := r.Header.Get("Host"); host != "" {
				r.Host = host
			}
			if w := serve(p, r); w.Code != row.want {
				t.Errorf("the request gave %d; want %d: %s", w.Code, row.want, w.Body)
			}
		})
	}
}

// The browser asks for the code at the issuer, and the app's server redeems it at the host of the back channel.
func TestAnyClientRedeemsAtABackChannelHost(t *testing.T) {
	for _, row := range []struct {
		name, host string
		header     []string
		want       int
	}{
		{"a program in another container", "idp:8080", nil, http.StatusOK},
		{"RFC 9110 §4.2.3 a host in capitals", "IDP:8080", nil, http.StatusOK},
		{"a host that is not listed", "other:8080", nil, http.StatusUnauthorized},
		{"a page of a foreign origin", "idp:8080", []string{"Origin", "https://evil.test"}, http.StatusUnauthorized},
		{"a page at the host of the back channel", "idp:8080", []string{"Origin", "http://idp:8080"},
			http.StatusUnauthorized},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) { anyClient(c); withBackChannel(c) })
			b := p.Browser(t)
			b.SignIn("alice")
			code := b.Code(idptest.Request("mine", "redirect_uri", myApp, "code_challenge", "", "code_challenge_method", ""))
			form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {myApp},
				"client_id": {"mine"}, "client_secret": {"any secret"}}
			r := get(t, http.MethodPost, p.Issuer+"/token", form, row.header...)
			r.Host = row.host
			if w := serve(p, r); w.Code != row.want {
				t.Errorf("the token endpoint gave %d; want %d: %s", w.Code, row.want, w.Body)
			}
		})
	}
}

func TestLoginHintSignsInAtADevHost(t *testing.T) {
	for _, row := range []struct {
		name   string
		header []string
		want   int
	}{
		{"a browser at the issuer", nil, http.StatusSeeOther},
		{"a page of a dev host", []string{"Referer", "http://app:9090/"}, http.StatusSeeOther},
		{"a foreign page by its Referer", []string{"Referer", "https://evil.example/"}, http.StatusOK},
		{"a page of another site that the browser does not name", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusOK},
		{"DNS rebinding: a Host that is not listed", []string{"Host", "rebound.example.com"}, http.StatusOK},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := atDevHost(t, hintSignsIn)
			ask := idptest.Request("spa", "login_hint", "bob").Encode()
			w := serve(p, get(t, http.MethodGet, p.Issuer+"/authorize?"+ask, nil))
			waiting := w.Header().Get("Location")
			if !strings.Contains(waiting, "/login") {
				t.Fatalf("the request gave %d %s", w.Code, waiting)
			}
			r := get(t, http.MethodGet, p.Issuer+waiting, nil, row.header...) // waiting is a path
			if host := r.Header.Get("Host"); host != "" {
				r.Host = host
			}
			if w := serve(p, r); w.Code != row.want {
				t.Errorf("the page gave %d; want %d: %s", w.Code, row.want, w.Body)
			}
		})
	}
}
