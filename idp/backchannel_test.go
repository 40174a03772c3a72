package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

func withBackChannel(c *idp.Config) { c.BackChannelHosts = []string{"idp:8080"} }

// Discovery under the Host of a container: the issuer and the pages stay where browsers find them.
func TestTheMetadataUnderABackChannelHost(t *testing.T) {
	p := idptest.Start(t, withBackChannel)
	read := func(host string) (m map[string]any) {
		r := get(t, http.MethodGet, p.Issuer+"/.well-known/openid-configuration", nil)
		r.Host = host
		if err := json.Unmarshal(serve(p, r).Body.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	usual, moved := read(strings.TrimPrefix(p.Issuer, "http://")), read("idp:8080")
	if inCapitals := read("IDP:8080"); inCapitals["token_endpoint"] != moved["token_endpoint"] {
		t.Errorf("RFC 9110 §4.2.3 a host in capitals gets %v; want the host in lower case", inCapitals["token_endpoint"])
	}
	for name, value := range usual {
		address, _ := value.(string)
		want := value
		switch name {
		case "token_endpoint", "jwks_uri", "userinfo_endpoint", "introspection_endpoint", "revocation_endpoint",
			"registration_endpoint", "device_authorization_endpoint", "pushed_authorization_request_endpoint":
			want = "http://idp:8080" + strings.TrimPrefix(address, p.Issuer)
		}
		if got, isText := moved[name].(string); isText && got != want {
			t.Errorf("%s is %v under idp:8080; want %v", name, got, want)
		}
	}
	if other := read("other:8080"); other["token_endpoint"] != usual["token_endpoint"] {
		t.Errorf("a host that is not listed gets %v", other["token_endpoint"])
	}
}

func TestRequestsUnderABackChannelHost(t *testing.T) {
	p := idptest.Start(t, withBackChannel)
	for _, row := range []struct {
		name, host string
		headers    []string
		want       int
	}{
		{"a program in another container", "idp:8080", nil, http.StatusOK},
		{"RFC 9110 §4.2.3 the host in capitals", "IDP:8080", nil, http.StatusOK},
		{"a host that is not listed", "api:8080", nil, http.StatusForbidden},
		{"another port of the listed host", "idp:9", nil, http.StatusForbidden},
		{"a page of a foreign origin", "idp:8080", []string{"Origin", "https://evil.test"}, http.StatusForbidden},
		{"a page at the listed host", "idp:8080", []string{"Origin", "http://idp:8080"}, http.StatusForbidden},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, p.Issuer+"/console/tokens",
				strings.NewReader(`{"user":"alice","client":"spa"}`))
			r.Host = row.host
			r.Header.Set("Content-Type", "application/json")
			for i := 0; i+1 < len(row.headers); i += 2 {
				r.Header.Set(row.headers[i], row.headers[i+1])
			}
			if w := serve(p, r); w.Code != row.want {
				t.Errorf("got %d; want %d: %s", w.Code, row.want, w.Body)
			}
		})
	}
	r := get(t, http.MethodGet, p.Issuer+"/login", nil, "Accept", "text/html")
	r.Host = "idp:8080"
	if w := serve(p, r); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), p.Issuer) {
		t.Errorf("a browser at the listed host gets %d %s; want to be sent to the issuer", w.Code, w.Header().Get("Location"))
	}
}

// A host of dev_hosts counts as this machine, and no other does.
func TestAnIssuerAtADevHost(t *testing.T) {
	config := idp.Config{
		Issuer: "http://idp:8080", DevHosts: []string{"idp", "app"}, ConsoleOrigins: []string{"http://app:9090"},
		Clients: []oidc.Client{{ClientID: "spa", TokenEndpointAuthMethod: "none",
			RedirectURIs: []string{"http://app:9090/callback"}}},
	}
	p := idptest.Start(t, func(c *idp.Config) { config.SigningKeys = c.SigningKeys; *c = config })
	for host, want := range map[string]bool{"idp:8080": true, "rebound.example.com": false} {
		r := get(t, http.MethodGet, "http://idp:8080/login", nil)
		r.Host = host
		if got := strings.Contains(serve(p, r).Body.String(), "one_click"); got != want {
			t.Errorf("under %s the sign-in page offers one click: %t; want %t", host, got, want)
		}
	}
	home := serve(p, get(t, http.MethodGet, "http://idp:8080/", nil)).Body.String()
	if !strings.Contains(home, "dev_hosts is set (idp, app)") {
		t.Error("the home page does not warn of dev_hosts")
	}
	signedIn := serve(p, get(t, http.MethodPost, "http://idp:8080/login", url.Values{"one_click": {"alice"}}, "Origin",
		"https://evil.test", "Sec-Fetch-Site", "cross-site"))
	if signedIn.Code != http.StatusForbidden {
		t.Errorf("a form of another site gives %d; want 403", signedIn.Code)
	}
}

func TestThePowersOfOtherAddressesAreRefusedOnAProductionIssuer(t *testing.T) {
	for want, change := range map[string]func(*idp.Config){
		"back_channel_hosts:":   withBackChannel,
		"dev_hosts:":            func(c *idp.Config) { c.DevHosts = []string{"idp"} },
		"dev_hosts[0]:":         func(c *idp.Config) { c.Issuer, c.DevHosts = "http://localhost:1", []string{"idp:8080"} },
		"dev_hosts[1]:":         func(c *idp.Config) { c.Issuer, c.DevHosts = "http://localhost:1", []string{"idp", "*"} },
		"back_channel_hosts[0]": func(c *idp.Config) { c.BackChannelHosts = []string{"idp/x"} },
		"issuer:":               func(c *idp.Config) { c.Issuer, c.DevHosts = "http://login.example.com", []string{"idp"} },
	} {
		var config idp.Config
		public(&config)
		change(&config)
		if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %v; want a problem with %s", err, want)
		}
	}
}
