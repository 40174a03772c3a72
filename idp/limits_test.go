package idp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idptest"
)

// limited starts a provider with limits that a test can reach.
func limited(t *testing.T, change func(*limit.Config)) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) { change(&c.Limits) })
}

// guess posts a user name and a wrong password to the sign-in page.
func guess(b *idptest.Browser, username string) idptest.Page {
	return b.Submit(b.Get("/login"), url.Values{"username": {username}, "password": {"wrong"}})
}

// from makes the request one that the proxy on this machine took for somebody else.
func from(r *http.Request, address string) *http.Request {
	r.RequestURI = ""
	r.Header.Set("X-Forwarded-For", address)
	return r
}

// wantTooMany says what Retry-After is, in seconds; a few less if the test takes so long.
func wantTooMany(t *testing.T, page idptest.Page, retryAfter int) {
	t.Helper()
	seconds, err := strconv.Atoi(page.Header.Get("Retry-After"))
	if page.Status != http.StatusTooManyRequests || err != nil || seconds > retryAfter || seconds < retryAfter-9 ||
		page.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("got %d, Retry-After %q, Cache-Control %q; want 429, %d, no-store\n%s",
			page.Status, page.Header.Get("Retry-After"), page.Header.Get("Cache-Control"), retryAfter, page.Body)
	}
}

// RFC 6585 §4: 429 "indicates that the user has sent too many requests in a given amount of time".
func TestTokenRequestsOfOneAddressAreLimited(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerAddress = "3/1m" })
	b := p.Browser(t)
	b.SignIn("alice")
	for range 3 {
		b.Post("/token", tokenForm("unknown"))
	}
	code := b.Code(idptest.Request("spa"))
	page := b.Post("/token", tokenForm(code))
	wantTooMany(t, page, 20)
	answer := page.JSON(t)
	if answer["error"] != "temporarily_unavailable" ||
		!strings.HasSuffix(answer["error_description"].(string), " seconds [request.too_many]") {
		t.Errorf("the client is told %v", answer)
	}
	p.Clock.Pass(20 * time.Second)
	b.Tokens("spa", code) // what was refused did not spend the code
}

func TestAScriptCanReadThatItWasTooMuch(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerAddress = "1/1m" })
	b := p.Browser(t)
	b.Post("/token", nil)
	r := get(t, http.MethodPost, p.Issuer+"/token", tokenForm("x"), "Origin", "http://localhost:9090")
	r.RequestURI = ""
	page := b.Do(r)
	wantTooMany(t, page, 60)
	if page.Header.Get("Access-Control-Allow-Origin") != "http://localhost:9090" ||
		!strings.Contains(page.Header.Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("CORS hides it: %v", page.Header)
	}
}

func TestOtherAddressesAndEndpointsGoOn(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerAddress = "1/1m" })
	b := p.Browser(t)
	for i, row := range []struct {
		address string
		want    int
	}{
		{"203.0.113.1", 400}, {"203.0.113.1", 429}, {"203.0.113.2", 400}, {"198.51.100.1, 203.0.113.2", 429},
		{"2001:db8::1", 400}, {"2001:db8::2", 429},
	} {
		if got := b.Do(
			from(get(t, http.MethodPost, p.Issuer+"/token", tokenForm("x")), row.address),
		).Status; got != row.want {
			t.Errorf("request %d, from %s: %d; want %d", i, row.address, got, row.want)
		}
	}
	b.SignIn("alice")
	b.Code(idptest.Request("spa", "prompt", "none"))
}

func TestAClientIsLimitedByTheTokensItGets(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerClient = "2/1m" })
	b := p.Browser(t)
	b.SignIn("alice")
	for range 10 { // anybody can say that they are the client
		form := tokenForm("unknown")
		form.Set("client_id", "web")
		b.Post("/token", form)
	}
	for range 2 {
		b.Tokens("web", b.Code(idptest.Request("web")))
	}
	code := b.Code(idptest.Request("web"))
	form := tokenForm(code)
	form.Set("client_id", "web")
	form.Set("client_secret", "web-secret")
	wantTooMany(t, b.Post("/token", form), 30)
	p.Clock.Pass(30 * time.Second)
	b.Tokens("web", code)
}

// A public client is all who use it: one of them must not use up the tokens of the others.
func TestAPublicClientIsLimitedByAddressOnly(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerClient, c.Token.PerAddress = "1/1m", "6/1m" })
	b := p.Browser(t)
	b.SignIn("alice")
	for range 6 {
		b.Tokens("spa", b.Code(idptest.Request("spa")))
	}
	wantTooMany(t, b.Post("/token", tokenForm(b.Code(idptest.Request("spa")))), 10)
}

// A pushed request is stored, and anybody can push in the name of a public client.
func TestPushedRequestsOfPublicClientsAreLimitedByAddress(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Push.PerAddress = "2/1m" })
	b := p.Browser(t)
	push := func(client string, change ...string) idptest.Page {
		form := idptest.Request(client, change...)
		if client == "web" {
			form.Set("client_secret", "web-secret")
		}
		return b.Post("/par", form)
	}
	for range 2 {
		if page := push("spa"); page.Status != http.StatusCreated {
			t.Fatalf("got %d\n%s", page.Status, page.Body)
		}
	}
	wantTooMany(t, push("spa"), 30)
	for range 5 {
		if page := push("web", "state", strings.Repeat("s", 12_000)); page.Status != http.StatusCreated {
			t.Errorf("a client that authenticates itself got %d\n%s", page.Status, page.Body)
		}
	}
	p.Clock.Pass(30 * time.Second)
	if page := push("spa", "state", strings.Repeat("s", 12_000)); page.Status != http.StatusBadRequest ||
		!strings.Contains(page.JSON(t)["error_description"].(string), "may push 8192") {
		t.Errorf("a large request of a public client got %d\n%s", page.Status, page.Body)
	}
}

// RFC 8628 §3.1: a request of a device is stored until its code expires.
func TestDevicesOfPublicClientsAreLimitedByAddress(t *testing.T) {
	b := withTV(t, func(c *idp.Config) { c.Limits.Push.PerAddress = "2/1m" }).Browser(t)
	begin := func() idptest.Page {
		return b.Post("/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"openid"}})
	}
	for range 2 {
		if page := begin(); page.Status != http.StatusOK {
			t.Fatalf("got %d\n%s", page.Status, page.Body)
		}
	}
	wantTooMany(t, begin(), 30)
}

func TestAClientIsKnownByItsHeaderToo(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerClient = "1/1m" })
	b := p.Browser(t)
	b.SignIn("alice")
	redeem := func() int {
		form := tokenForm(b.Code(idptest.Request("web")))
		form.Set("redirect_uri", idptest.Request("web").Get("redirect_uri"))
		form.Del("client_id")
		r := get(t, http.MethodPost, p.Issuer+"/token", form)
		r.RequestURI = ""
		r.SetBasicAuth("web", "web-secret")
		return b.Do(r).Status
	}
	if first, second := redeem(), redeem(); first != 200 || second != 429 {
		t.Errorf("got %d, %d; want 200, 429", first, second)
	}
}

func TestABodyThatIsTooLargeIsStillThat(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Token.PerClient = "1/1m" })
	b := p.Browser(t)
	for name, row := range map[string]struct {
		body string
		want int
	}{"too large": {"client_id=" + strings.Repeat("x", 70<<10), 413}, "no form": {"client_id=%zz", 400}} {
		r := get(t, http.MethodPost, p.Issuer+"/token", nil, "Content-Type", "application/x-www-form-urlencoded")
		r, err := http.NewRequestWithContext(
			t.Context(), r.Method, r.URL.String(), struct{ *strings.Reader }{strings.NewReader(row.body)},
		)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if page := b.Do(r); page.Status != row.want {
			t.Errorf("%s: %d; want %d\n%s", name, page.Status, row.want, page.Body)
		}
	}
}

func TestSignInsOfOneAddressAreLimited(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Login.PerAddress = "2/1m" })
	b := p.Browser(t)
	b.SignIn("alice")
	b.SignIn("bob")
	page := guess(b, "carol")
	wantTooMany(t, page, 30)
	if !strings.Contains(page.Body, "Too many requests") ||
		!strings.Contains(page.Body, "sign-ins from this address; try again in ") {
		t.Errorf("the person is told:\n%s", page.Body)
	}
}

func TestWrongPasswordsAreLimited(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Password.PerUserAndAddress = "3/3m" })
	b := p.Browser(t)
	for range 3 {
		if page := guess(b, "alice"); page.Status != http.StatusForbidden {
			t.Fatalf("got %d", page.Status)
		}
	}
	wantTooMany(t, guess(b, "ALICE"), 60)
	right := url.Values{"username": {"alice"}, "password": {"alice"}}
	wantTooMany(t, b.Submit(b.Get("/login"), right), 60) // or a guesser would learn that it is right
	b.SignIn("bob")
	p.Clock.Pass(time.Minute)
	b.SignIn("alice")
	for range 3 { // what was wrong before is forgotten
		if page := guess(b, "alice"); page.Status != http.StatusForbidden {
			t.Fatalf("got %d", page.Status)
		}
	}
}

func TestGuessingDoesNotTellWhichUsersExist(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Password.PerUserAndAddress, c.Password.PerAddress = "3/3m", "100/1m" })
	b := p.Browser(t)
	told := func(username string) (int, string) {
		page := guess(b, username)
		return page.Status, strings.NewReplacer(username, "", page.Header.Get("X-Request-Id"), "", "alice", "").Replace(
			regexp.MustCompile("in [0-9]+ seconds").ReplaceAllString(page.Body, ""),
		)
	}
	for i := range 6 {
		known, knownText := told("alice")
		unknown, unknownText := told("mallory")
		if known != unknown || knownText != unknownText {
			t.Errorf("guess %d: %d for a known user, %d for an unknown one:\n%s\n%s", i, known, unknown, knownText, unknownText)
		}
	}
}

// The field of the one-click buttons must not lead around the count where there are no such buttons.
func TestOneClickIsNoWayAround(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		off := false
		c.Dev, c.Limits.Password.PerUser = &off, "2/1h"
	})
	b := p.Browser(t)
	for i, want := range []int{403, 403, 429} {
		r := get(
			t, http.MethodPost, p.Issuer+"/login",
			url.Values{"username": {"alice"}, "password": {"wrong"}, "one_click": {"alice"}}, "Sec-Fetch-Site", "same-origin",
		)
		r.RequestURI = ""
		if got := b.Do(r).Status; got != want {
			t.Errorf("guess %d: %d; want %d", i, got, want)
		}
	}
}

func TestALoopbackIssuerIsNotLimitedUnlessConfigured(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	for range 150 {
		if page := guess(b, "alice"); page.Status != http.StatusForbidden {
			t.Fatalf("got %d", page.Status)
		}
	}
}

func TestAProxyThatIsNotTrustedIsToldOnce(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.TrustedProxies, c.Token.PerAddress = []string{}, "2/1m" })
	b := p.Browser(t)
	for _, want := range []int{400, 400, 429} {
		if got := b.Do(from(get(t, http.MethodPost, p.Issuer+"/token", tokenForm("x")), "203.0.113.1")).Status; got != want {
			t.Errorf("got %d; want %d", got, want)
		}
	}
	if n := strings.Count(p.Log.String(), "limits.trusted_proxies"); n != 1 {
		t.Errorf("the log says it %d times; want once", n)
	}
}

func TestLimitsThatCannotBeReadAreProblems(t *testing.T) {
	c := idp.Config{
		Limits: limit.Config{TrustedProxies: []string{"proxy"}, Token: limit.TokenConfig{PerAddress: "often"}},
	}.WithDefaults()
	err := idp.Validate(c)
	if err == nil || !strings.Contains(err.Error(), `limits.token.per_address: "often" is no rate`) ||
		!strings.Contains(err.Error(), `limits.trusted_proxies[0]: "proxy"`) {
		t.Errorf("Validate = %v", err)
	}
}
