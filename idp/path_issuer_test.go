package idp_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

const realm = "/realms/demo"

// withRealm gives the provider an issuer with a path.
func withRealm(c *idp.Config) { c.Issuer += realm }

// addressRows are requests at the host of an issuer with the path /realms/demo.
var addressRows = []struct {
	name, path string
	found      bool
}{
	{"Discovery §4.1 the issuer, and behind it the path of the metadata", realm + "/.well-known/openid-configuration",
		true},
	{"RFC 8414 §3.1 the path of the metadata between host and path",
		"/.well-known/oauth-authorization-server" + realm, true},
	{"RFC 8414 §5 the same with the name of OpenID Connect", "/.well-known/openid-configuration" + realm, true},
	{"behind a proxy that removes the path", "/.well-known/openid-configuration", true},
	{"another realm", "/realms/demo2/.well-known/openid-configuration", false},
	{"RFC 8414 §3.1 another realm", "/.well-known/oauth-authorization-server/realms/demo2", false},
	{"a part of the path", "/realms/.well-known/openid-configuration", false},
	{"the path twice", realm + realm + "/.well-known/openid-configuration", false},
	{"RFC 3986 §6.2.2.1 the path in capitals", "/REALMS/demo/.well-known/openid-configuration", false},
	{"the path with an escape", "/realms/%64emo/.well-known/openid-configuration", false},
}

func TestMetadataOfAnIssuerWithAPath(t *testing.T) {
	p := idptest.Start(t, withRealm)
	host := strings.TrimSuffix(p.Issuer, realm)
	for _, row := range addressRows {
		t.Run(row.name, func(t *testing.T) {
			w := serve(p, get(t, http.MethodGet, host+row.path, nil))
			if found := strings.Contains(w.Body.String(), `"issuer":"`+p.Issuer+`"`); found != row.found {
				t.Errorf("GET %s gives %d %s; is metadata: %v, want %v", row.path, w.Code, w.Body, found, row.found)
			}
		})
	}
	metadata := p.Browser(t).Get("/.well-known/openid-configuration").JSON(t)
	for name, value := range metadata {
		if text, ok := value.(string); ok && !strings.HasPrefix(text, p.Issuer) {
			t.Errorf("Discovery §3 %s is %s; want it below the issuer %s", name, text, p.Issuer)
		}
	}
}

// Each address on a page leads to the issuer, and is served there.
func TestEachPageOfAnIssuerWithAPathStaysBelowIt(t *testing.T) {
	p := idptest.Start(t, withRealm)
	b := p.Browser(t)
	b.SignIn("alice")
	waiting, seen := []string{"", "/login", "/logout", "/device", "/nothing", "/authorize"}, map[string]bool{}
	for i := range waiting {
		waiting[i] = p.Issuer + waiting[i]
	}
	for len(waiting) > 0 {
		target := waiting[0]
		waiting = waiting[1:]
		if seen[target] {
			continue
		}
		seen[target] = true
		page := b.Get(target)
		if page.Status == http.StatusNotFound && target != p.Issuer+"/nothing" {
			t.Errorf("%s is on a page, and gives 404", target)
		}
		waiting = append(waiting, linksOf(t, p, page)...)
	}
	for _, path := range []string{"/", "/account", "/console", "/reasons/session.none", "/static/idp/idp.css"} {
		if !seen[p.Issuer+path] {
			t.Errorf("no page leads to %s", path)
		}
	}
}

// linksOf returns the addresses of the provider on the page that a browser may GET.
func linksOf(t *testing.T, p *idptest.Provider, page idptest.Page) (links []string) {
	t.Helper()
	if page.Location != nil && !strings.HasPrefix(page.Location.String(), p.Issuer) {
		t.Errorf("a redirect leads to %s, which is not below the issuer", page.Location)
	}
	if !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") {
		return nil
	}
	document, err := html.Parse(strings.NewReader(page.Body))
	if err != nil {
		t.Fatal(err)
	}
	for node := range document.Descendants() {
		for _, attribute := range node.Attr {
			isAddress := attribute.Key == "href" || attribute.Key == "src" || attribute.Key == "action"
			switch {
			case isAddress && strings.HasPrefix(attribute.Val, "/") && !strings.HasPrefix(attribute.Val, realm+"/"):
				t.Errorf("<%s %s=%q> is not below %s", node.Data, attribute.Key, attribute.Val, realm)
			case isAddress && strings.HasPrefix(attribute.Val, "/") && node.Data != "form":
				links = append(links, strings.TrimSuffix(p.Issuer, realm)+attribute.Val)
			}
		}
	}
	return links
}

func TestCookiesOfAnIssuerWithAPathHaveItsPath(t *testing.T) {
	for _, row := range []struct{ name, issuer, prefix string }{
		{"RFC 6265 §5.1.4 over http", "http://localhost:8080" + realm, "hush-"},
		{"RFC 6265bis §4.1.3.1 over https", "https://localhost:8443" + realm, "__Secure-hush-"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) { c.Issuer = row.issuer })
			form := url.Values{"username": {"alice"}, "password": {"alice"}}
			page := serve(p, get(t, http.MethodGet, row.issuer+"/login", nil))
			w := serve(p, get(t, http.MethodPost, row.issuer+"/login", form, "Sec-Fetch-Site", "same-origin"))
			cookies := append(page.Result().Cookies(), w.Result().Cookies()...)
			for _, cookie := range cookies {
				if cookie.Path != realm || !strings.HasPrefix(cookie.Name, row.prefix) {
					t.Errorf("Set-Cookie: %s; want the Path %s and a name that begins with %s", cookie, realm, row.prefix)
				}
			}
			if len(cookies) < 4 { // CSRF, the session, its state, and the marker of development mode
				t.Errorf("the sign-in sets the cookies %v only (%d %s)", cookies, w.Code, w.Body)
			}
		})
	}
}

// behindProxy is a provider whose issuer is an address of a reverse proxy.
func behindProxy(t *testing.T, rewrite func(*httputil.ProxyRequest)) *idptest.Provider {
	t.Helper()
	proxy := httptest.NewUnstartedServer(nil)
	p := idptest.Start(t, func(c *idp.Config) { c.Issuer = "http://" + proxy.Listener.Addr().String() + "/auth" })
	provider := httptest.NewServer(p.Provider)
	t.Cleanup(provider.Close)
	address, _ := url.Parse(provider.URL)
	proxy.Config.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(address)
		rewrite(r)
	}}
	proxy.Start()
	t.Cleanup(proxy.Close)
	return p
}

// proxyRows are the ways in which a proxy passes on a request for the path /auth of the issuer.
var proxyRows = []struct {
	name             string
	strips, keepHost bool // a proxy that does not keep the Host header sends X-Forwarded-Host
}{
	{"a proxy that keeps the path and the Host", false, true},
	{"a proxy that removes the path and keeps the Host", true, true},
	{"a proxy that keeps the path and has a Host of its own", false, false},
	{"a proxy that removes the path and has a Host of its own", true, false},
}

// strip removes the path of the issuer, as "location /auth/ { proxy_pass http://provider/; }" of nginx does.
func strip(r *httputil.ProxyRequest) {
	r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/auth")
	r.Out.URL.RawPath = strings.TrimPrefix(r.Out.URL.RawPath, "/auth")
}

func TestAnIssuerWithAPathBehindAProxy(t *testing.T) {
	for _, row := range proxyRows {
		t.Run(row.name, func(t *testing.T) {
			p := behindProxy(t, func(r *httputil.ProxyRequest) {
				if row.strips {
					strip(r)
				}
				if r.SetXForwarded(); row.keepHost {
					r.Out.Host = r.In.Host
				}
			})
			b := p.Browser(t)
			page := b.Walk(b.Authorize(idptest.Request("web")))
			page = b.Walk(b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}}))
			if page.Location == nil || page.Location.Query().Get("code") == "" {
				t.Fatalf("the sign-in ends with %d at %v\n%s", page.Status, page.Location, page.Body)
			}
			tokens := b.Tokens("web", page.Location.Query().Get("code"))
			if user := b.GetWithToken("/userinfo", tokens["access_token"].(string)).JSON(t); user["name"] != "Alice Archer" {
				t.Errorf("userinfo is %v", user)
			}
			if renewed := b.Tokens("web", b.Code(idptest.Request("web", "prompt", "none"))); renewed["id_token"] == nil {
				t.Errorf("the silent renewal gives %v", renewed)
			}
			host := strings.TrimSuffix(p.Issuer, "/auth")
			for _, document := range []string{oauthMetadata + "/auth", "/auth" + oauthMetadata} {
				if metadata := b.Get(host + document).JSON(t); metadata["issuer"] != p.Issuer {
					t.Errorf("RFC 8414 §3.1 %s says %v", document, metadata)
				}
			}
			if left := b.Submit(b.Get("/logout"), url.Values{}); left.Status >= http.StatusBadRequest {
				t.Errorf("the sign-out gives %d\n%s", left.Status, left.Body)
			}
		})
	}
}

const oauthMetadata = "/.well-known/oauth-authorization-server"

// At another host, and at back_channel_hosts, the path stays.
func TestOtherHostsOfAnIssuerWithAPath(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		c.Issuer, c.BackChannelHosts = "http://localhost:8080"+realm, []string{"idp:8080"}
	})
	w := serve(p, get(t, http.MethodGet, "http://127.0.0.1:8080"+realm+loginPage, nil, "Accept", asPage))
	if to := w.Header().Get("Location"); to != p.Issuer+loginPage {
		t.Errorf("another host leads to %q; want the same page at the issuer", to)
	}
	w = serve(p, get(t, http.MethodGet, "http://idp:8080"+realm+"/.well-known/openid-configuration", nil))
	var metadata oidc.Metadata
	if err := json.Unmarshal(w.Body.Bytes(), &metadata); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"Issuer": p.Issuer, "AuthorizationEndpoint": p.Issuer + "/authorize", "JWKSURI": "http://idp:8080" + realm + "/jwks",
		"TokenEndpoint": "http://idp:8080" + realm + "/token",
	} {
		if got := reflect.ValueOf(metadata).FieldByName(field).String(); got != want {
			t.Errorf("at a back channel host %s is %s; want %s", field, got, want)
		}
	}
}
