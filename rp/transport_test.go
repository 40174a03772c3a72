package rp

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// behindBackChannel gives the provider another issuer than its address.
func (p *fakeProvider) behindBackChannel(issuer string) {
	real := p.URL
	p.misbehave(distortions{
		metadata: func(o object) {
			for name, value := range o {
				if text, ok := value.(string); ok {
					o[name] = strings.Replace(text, real, issuer, 1)
				}
			}
		},
		idToken: with("iss", issuer),
	})
}

func TestBackChannel(t *testing.T) {
	const issuer = "https://idp.example.com"
	a := newApp(t, func(c *Config) { c.BackChannel, c.Issuer = c.Issuer, issuer })
	a.provider.behindBackChannel(issuer)
	location := a.begin("/web/login")
	if !strings.HasPrefix(location, issuer+"/authorize?") {
		t.Errorf("the browser was sent to %q, expected the issuer's own address", location)
	}
	answer := a.provider.answer(location)
	answer.Set("iss", issuer)
	if to := a.callback(answer); to != "/web/" {
		t.Fatalf("ended at %q", to)
	}
	if hosts := slices.Compact(slices.Sorted(slices.Values(a.provider.hosts))); len(hosts) != 1 ||
		hosts[0] != "idp.example.com" {
		t.Errorf("the provider saw the hosts %q, expected the issuer's only", hosts)
	}
	if to := a.location(a.do("POST", "/web/logout", "")); !strings.HasPrefix(to, issuer+"/logout?") {
		t.Errorf("logout: %q", to)
	}
}

func TestBackChannelTouchesTheIssuersOriginOnly(t *testing.T) {
	var got *http.Request
	b := backChannel{issuer: "https://idp.example.com", target: "http://idp:8080",
		next: roundTripper(func(r *http.Request) { got = r })}
	send := func(r *http.Request) {
		if _, err := b.RoundTrip(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range [][3]string{
		{"https://idp.example.com/token?a=b", "http://idp:8080/token?a=b", "idp.example.com"},
		{"https://IDP.example.com:443/token", "http://idp:8080/token", "IDP.example.com:443"},
		{"https://keys.example.com/jwks", "https://keys.example.com/jwks", "keys.example.com"},
		{"http://idp.example.com/token", "http://idp.example.com/token", "idp.example.com"},
	} {
		r, err := http.NewRequest("GET", row[0], nil)
		if err != nil {
			t.Fatal(err)
		}
		send(r)
		if got.URL.String() != row[1] || got.Host != row[2] {
			t.Errorf("%s became %s with Host %s, expected %s with %s", row[0], got.URL, got.Host, row[1], row[2])
		}
		if r.URL.String() != row[0] {
			t.Error("http.RoundTripper: the request must not be changed")
		}
	}
	bare := &http.Request{URL: &url.URL{Scheme: "https", Host: "idp.example.com"}}
	if send(bare); got.Host != "idp.example.com" {
		t.Errorf("a request without Host got %q", got.Host)
	}
}

// roundTripper answers 200 with an empty body.
type roundTripper func(*http.Request)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	f(r)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

// TestLocalhostNames: names under localhost are the loopback address (RFC 6761 §6.3).
func TestLocalhostNames(t *testing.T) {
	p := newProviderForTest(t, storagetest.NewClock())
	u, _ := url.Parse(p.URL)
	issuer := "http://idp.localhost:" + u.Port()
	p.behindBackChannel(issuer)
	d, err := newProvider(issuer, "").discover(t.Context())
	if err != nil || d.metadata.Issuer != issuer {
		t.Fatalf("%v", err)
	}
	if p.hosts[0] != u.Hostname() && p.hosts[0] != "idp.localhost:"+u.Port() {
		t.Errorf("the Host header was %q", p.hosts[0])
	}
}

// TestMain sets a proxy that does not exist, so that a loopback request by the proxy fails.
func TestMain(m *testing.M) {
	os.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	m.Run()
}

func TestProxy(t *testing.T) {
	for uri, proxied := range map[string]bool{"http://idp.localhost:8080/": false, "http://127.0.0.1/": false,
		"http://idp:8080/": true} {
		proxy, err := proxyUnlessLoopback(httptest.NewRequest("GET", uri, nil))
		if err != nil || (proxy != nil) != proxied {
			t.Errorf("%s goes through %v (%v)", uri, proxy, err)
		}
	}
}

func TestDiscoveryFailures(t *testing.T) {
	for _, row := range []struct {
		name     string
		metadata func(object)
		code     oidc.ErrorCode
		says     string
	}{
		{"Discovery §4.3 issuer is the one that was asked", with("issuer", "https://evil.test"), IssuerMismatch,
			"calls itself https://evil.test"},
		{"Discovery §4.3 issuer is compared byte for byte", func(o object) { o["issuer"] = o["issuer"].(string) + "/" },
			IssuerMismatch, "byte for byte"},
		{"Discovery §3 authorization_endpoint is present", without("authorization_endpoint"), ProviderDown,
			"authorization_endpoint"},
		{"Discovery §3 token_endpoint is present", without("token_endpoint"), ProviderDown, "token_endpoint"},
		{"Discovery §3 jwks_uri is present", without("jwks_uri"), ProviderDown, "jwks_uri"},
		{"Discovery §3 an optional endpoint is a URL too", with("pushed_authorization_request_endpoint", "par"), ProviderDown,
			"pushed_authorization_request_endpoint"},
		{"Discovery §3 userinfo_endpoint is a URL", with("userinfo_endpoint", "ftp://x/"), ProviderDown, "userinfo_endpoint"},
		{"a browser is sent to http(s) only", with("end_session_endpoint", "javascript:alert(1)"), ProviderDown,
			"end_session_endpoint"},
		{"Discovery §4.2 the document is JSON of the right types", with("token_endpoint", 7), ProviderDown,
			"no usable discovery document"},
		{"Discovery §4.2 a list is a list", with("scopes_supported", 7), ProviderDown, "no usable discovery document"},
		{"a document of more than 1 MB", with("pad", strings.Repeat("x", maxResponse)), ProviderDown, "too large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := newProviderForTest(t, storagetest.NewClock())
			p.misbehave(distortions{metadata: row.metadata})
			far := newProvider(p.URL, "")
			_, err := far.discover(t.Context())
			if e := asError(err); e.Code != row.code || !strings.Contains(e.Description, row.says) {
				t.Errorf("%v, expected %s …%s…", err, row.code, row.says)
			}
			p.misbehave(distortions{})
			if _, err := far.discover(t.Context()); err != nil {
				t.Errorf("the provider is right again: %v", err)
			}
		})
	}
}

func TestAnHTTPSProviderHasHTTPSEndpoints(t *testing.T) {
	for _, name := range []string{
		"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint",
		"revocation_endpoint",
		"pushed_authorization_request_endpoint", "check_session_iframe",
	} {
		t.Run("Discovery §3 "+name+" is https when the issuer is", func(t *testing.T) {
			const issuer = "https://idp.example.com"
			p := newProviderForTest(t, storagetest.NewClock())
			p.behindBackChannel(issuer)
			moved := p.distortion().metadata
			p.misbehave(distortions{metadata: func(o object) {
				moved(o)
				o[name] = "http://idp.example.com/plain"
			}})
			_, err := newProvider(issuer, p.URL).discover(t.Context())
			if e := asError(err); e.Code != ProviderDown ||
				!strings.Contains(e.Description, name+" is 'http://idp.example.com/plain', expected an https URL") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestUnreachableProvider(t *testing.T) {
	other := httptest.NewServer(http.NotFoundHandler())
	defer other.Close()
	_, err := newProvider(other.URL, "").discover(t.Context())
	if e := asError(err); e.Code != ProviderDown || !strings.Contains(e.Description, "404") {
		t.Errorf("%v", err)
	}
}

func TestDiscoveryIsRequestedOnce(t *testing.T) {
	p := newProviderForTest(t, storagetest.NewClock())
	asked, release := make(chan struct{}), make(chan struct{})
	var once sync.Once
	p.misbehave(distortions{metadata: func(object) {
		once.Do(func() { close(asked) })
		<-release
	}})
	far := newProvider(p.URL, "")

	canceled, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() { _, err := far.discover(canceled); gaveUp <- err }()
	<-asked
	giveUp()
	if err := <-gaveUp; asError(err).Code != ProviderDown {
		t.Errorf("the canceled caller: %v", err)
	}

	results := make(chan error, 8)
	for range cap(results) {
		go func() { _, err := far.discover(t.Context()); results <- err }()
	}
	close(release)
	for range cap(results) {
		if err := <-results; err != nil {
			t.Errorf("another caller: %v", err)
		}
	}
	if _, err := far.discover(t.Context()); err != nil {
		t.Errorf("a later caller: %v", err)
	}
	if n := p.requestsTo("/.well-known/openid-configuration"); n != 1 {
		t.Errorf("%d discovery requests, expected one for all", n)
	}
}
