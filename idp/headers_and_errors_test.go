package idp_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	words "github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestAnUnregisteredRedirectURIIsShownWithTheRegisteredOnes(t *testing.T) { // RFC 6749 §4.1.2.1
	b := idptest.Start(t, nil).Browser(t)
	for _, silent := range []string{"", "none"} {
		page := b.Authorize(idptest.Request("spa", "redirect_uri", "http://localhost:5173/silent.html", "prompt", silent))
		wantPage(t, page, http.StatusBadRequest, "http://localhost:5173/silent.html, which is not registered for client spa")
		wantPage(t, page, http.StatusBadRequest, "http://localhost:9090/spa/callback.html")
		if page.Location != nil {
			t.Errorf("redirected to %v", page.Location)
		}
	}
}

func TestTheRedirectIsASeeOtherThatNobodyStores(t *testing.T) { // RFC 9700 §4.12
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	page := b.Post("/authorize", idptest.Request("spa"))
	if page.Status != http.StatusSeeOther || page.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d, Cache-Control %q", page.Status, page.Header.Get("Cache-Control"))
	}
}

// HTML §7.1.4: the app around the iframe may have a Cross-Origin-Embedder-Policy. A page of the provider has no such
// header.
func TestTheRedirectIsLetThroughByAnEmbedderPolicy(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	for _, signedIn := range []bool{false, true} {
		if signedIn {
			b.SignIn("alice")
		}
		answer := b.Authorize(idptest.Request("spa", "prompt", "none"))
		if got := answer.Header.Get("Cross-Origin-Resource-Policy"); answer.Location == nil || got != "cross-origin" {
			t.Errorf("signed in %t: got %d, Cross-Origin-Resource-Policy %q", signedIn, answer.Status, got)
		}
	}
	if got := b.Get("/account").Header.Get("Cross-Origin-Resource-Policy"); got != "" {
		t.Errorf("a page has Cross-Origin-Resource-Policy %q", got)
	}
}

// RFC 9700 §4.16: "MUST prevent clickjacking attacks"; §4.2.4
func TestEveryPageForbidsFramesAndForeignScript(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	pages := map[string]idptest.Page{
		"home": b.Get("/"), "login": b.Get("/login"), "logout": b.Get("/logout"), "not found": b.Get("/nowhere"),
		"error": b.Authorize(nil), "login for a client": open(t, b, idptest.Request("spa")),
		"form_post": b.Authorize(idptest.Request("spa", "response_mode", "form_post", "max_age", "x")),
	}
	b.SignIn("alice")
	pages["consent"] = open(t, b, idptest.Request("spa", "prompt", "consent"))
	pages["select_account"] = open(t, b, idptest.Request("spa", "prompt", "select_account"))
	for name, page := range pages {
		csp := page.Header.Get("Content-Security-Policy")
		for _, directive := range []string{
			"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'",
		} {
			if !slices.Contains(strings.Split(csp, "; "), directive) {
				t.Errorf("%s: no %s in %q", name, directive, csp)
			}
		}
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cache-Control": "no-store",
		} {
			if got := page.Header.Get(header); got != want {
				t.Errorf("%s: %s = %q; want %q", name, header, got, want)
			}
		}
	}
}

// CSP3 §6.4.1.1: a browser may apply form-action to the redirects after a form, also to those of the application.
func TestOnlyPagesWhoseFormsStayHaveFormAction(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	toApp := url.Values{"client_id": {"spa"}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"}}
	for name, row := range map[string]struct {
		page  idptest.Page
		stays bool
	}{
		"home":               {b.Get("/"), true},
		"login":              {b.Get("/login"), true},
		"account":            {b.Get("/account"), true},
		"device":             {b.Get("/device"), true},
		"logout":             {b.Get("/logout"), true},
		"logout to the app":  {b.Get("/logout?" + toApp.Encode()), false},
		"login for a client": {open(t, b, idptest.Request("spa", "prompt", "login")), false},
		"consent":            {open(t, b, idptest.Request("spa", "prompt", "consent")), false},
		"select_account":     {open(t, b, idptest.Request("spa", "prompt", "select_account")), false},
		"form_post":          {b.Authorize(idptest.Request("spa", "response_mode", "form_post")), false},
	} {
		csp := row.page.Header.Get("Content-Security-Policy")
		if got := strings.Contains(csp, "form-action 'self'"); got != row.stays || strings.Count(csp, "form-action ") > 1 {
			t.Errorf("%s: the policy is %q; want form-action 'self': %t", name, csp, row.stays)
		}
	}
}

func TestASilentFormPostMayBeFramedByItsClientOnly(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	page := b.Authorize(idptest.Request("spa", "response_mode", "form_post", "prompt", "none"))
	if csp := page.Header.Get("Content-Security-Policy"); !strings.Contains(
		csp, "frame-ancestors http://localhost:9090",
	) || page.Header.Get("X-Frame-Options") != "" {
		t.Errorf("got %q, X-Frame-Options %q", csp, page.Header.Get("X-Frame-Options"))
	}
	wantPage(t, page, http.StatusOK, `name="code"`)
}

func TestErrorsForProgramsAreJSON(t *testing.T) { // RFC 6749 §5.2
	p := idptest.Start(t, nil)
	for _, row := range []struct {
		name   string
		r      *http.Request
		status int
		code   words.ErrorCode
	}{
		{
			"§5.2 a good client, a bad code",
			get(t, "POST", "/token", url.Values{"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {"x"}}), 400,
			words.InvalidGrant,
		},
		{"§5.2 an unknown client", get(t, "POST", "/token", url.Values{"client_id": {"x"}}), 401, words.InvalidClient},
		{"§3.2 the token endpoint takes POST only", get(t, "GET", "/token", nil), 405, words.InvalidRequest},
		{
			"a body of 1 MB", get(t, "POST", "/token", url.Values{"code": {strings.Repeat("x", 1<<20)}}), 413,
			words.InvalidRequest,
		},
	} {
		w := serve(p, row.r)
		if w.Code != row.status || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") ||
			!strings.Contains(w.Body.String(), `"error":"`+string(row.code)+`"`) {
			t.Errorf("%s: got %d %s %s", row.name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if w.Code == http.StatusUnauthorized && !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Basic realm=") {
			t.Errorf("%s: WWW-Authenticate = %q", row.name, w.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestTokensAreNeverStored(t *testing.T) { // RFC 6749 §5.1
	p := idptest.Start(t, nil)
	for _, form := range []url.Values{{"client_id": {"x"}}, {"grant_type": {"authorization_code"}, "client_id": {"spa"}}} {
		w := serve(p, get(t, "POST", "/token", form))
		if w.Header().Get("Cache-Control") != "no-store" || w.Header().Get("Pragma") != "no-cache" {
			t.Errorf("Cache-Control %q, Pragma %q", w.Header().Get("Cache-Control"), w.Header().Get("Pragma"))
		}
	}
}

func TestALargeBodyIsRefused(t *testing.T) {
	p := idptest.Start(t, nil)
	w := serve(p, get(t, "POST", "/authorize", idptest.Request("spa", "state", strings.Repeat("x", 1<<20))))
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("got %d", w.Code)
	}
}

// The algorithms that can be configured, verified by go-oidc, which knows nothing of this code.
func TestSigningAlgorithms(t *testing.T) {
	for _, alg := range []string{"RS256", "ES256", "PS256", "EdDSA"} {
		t.Run(alg, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) { c.SigningKeys = []idp.SigningKey{{Alg: jose.SignatureAlgorithm(alg)}} })
			b := p.Browser(t)
			b.SignIn("alice")
			tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
			ctx := context.Background()
			provider, err := oidc.NewProvider(ctx, p.Issuer)
			if err != nil {
				t.Fatal(err)
			}
			idToken, err := provider.Verifier(&oidc.Config{ClientID: "spa"}).Verify(ctx, tokens["id_token"].(string))
			if err != nil {
				t.Fatal(err)
			}
			if err := idToken.VerifyAccessToken(tokens["access_token"].(string)); err != nil {
				t.Errorf("at_hash: %v", err)
			}
			if idToken.Subject != "alice" || idToken.Nonce != "the nonce" {
				t.Errorf("got %+v", idToken)
			}
			apiVerifier := provider.Verifier(&oidc.Config{ClientID: "urn:hush:demo-api"})
			if _, err := apiVerifier.Verify(ctx, tokens["access_token"].(string)); err != nil {
				t.Errorf("access token: %v", err)
			}
			if _, err := provider.UserInfo(
				ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: tokens["access_token"].(string)}),
			); err != nil {
				t.Errorf("userinfo: %v", err)
			}
		})
	}
}

func TestRS256IsTheDefault(t *testing.T) { // Core §15.1
	p := idptest.Start(t, func(c *idp.Config) { c.SigningKeys = nil })
	if w := serve(p, get(t, "GET", "/jwks", nil)); !strings.Contains(w.Body.String(), `"alg":"RS256"`) {
		t.Errorf("got %s", w.Body)
	}
}

func TestAClientMayHaveItsOwnAlgorithm(t *testing.T) { // Registration §2, id_token_signed_response_alg
	p := idptest.Start(t, func(c *idp.Config) {
		c.SigningKeys = []idp.SigningKey{{Alg: "RS256"}, {Alg: "ES256"}}
		*c = c.WithDefaults()
		c.Clients[0].IDTokenSignedResponseAlg = "ES256"
	})
	b := p.Browser(t)
	b.SignIn("alice")
	for client, alg := range map[string]string{"spa": "eyJhbGciOiJFUzI1NiIs", "web": "eyJhbGciOiJSUzI1NiIs"} {
		idToken := b.Tokens(client, b.Code(idptest.Request(client)))["id_token"].(string)
		if !strings.HasPrefix(idToken, alg) {
			t.Errorf("%s: header %s", client, idToken[:30])
		}
	}
}

func TestTheLogHoldsNoSecret(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	code := b.Code(idptest.Request("web"))
	tokens := b.Tokens("web", code)
	b.GetWithToken("/userinfo", tokens["access_token"].(string))
	b.Get("/logout?id_token_hint=" + tokens["id_token"].(string))
	secrets := []string{
		code, tokens["access_token"].(string), tokens["id_token"].(string), "web-secret", idptest.CodeVerifier, "the nonce",
	}
	for _, cookie := range b.Cookies() {
		secrets = append(secrets, cookie.Value)
	}
	log := p.Log.String()
	if !strings.Contains(log, "path=/token status=200") || !strings.Contains(log, "request_id=") {
		t.Errorf("the log does not tell of the requests:\n%s", log)
	}
	for _, secret := range secrets {
		if strings.Contains(log, secret) || strings.Contains(log, url.QueryEscape(secret)) {
			t.Errorf("the log holds %q:\n%s", secret, log)
		}
	}
}

func TestARefusalByRedirectIsLoggedWithItsCause(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), words.LoginRequired)
	if log := p.Log.String(); !strings.Contains(log, "level=INFO msg=request") ||
		!strings.Contains(log, "login_required") {
		t.Errorf("the log does not say why the client was refused:\n%s", log)
	}
	b.SignIn("alice")
	spy.Gone(true)
	page := b.Authorize(idptest.Request("spa", "prompt", "none"))
	wantError(t, page, words.ServerError)
	if strings.Contains(page.Location.String(), "engine") {
		t.Errorf("the client is told the cause: %v", page.Location)
	}
	if log := p.Log.String(); !strings.Contains(log, "level=ERROR msg=request") ||
		!strings.Contains(log, storagetest.ErrEngine.Error()) {
		t.Errorf("the log does not tell the cause:\n%s", log)
	}
}

func TestHEADIsAnsweredAsGET(t *testing.T) { // RFC 9110 §9.1: GET and HEAD are what every server supports
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	for _, path := range []string{"/", "/login", "/healthz", "/jwks", "/.well-known/openid-configuration"} {
		if page := b.Do(head(t, p.Issuer+path)); page.Status != http.StatusOK || page.Body != "" ||
			page.Header.Get("Content-Type") == "" {
			t.Errorf("%s: got %d with %d bytes", path, page.Status, len(page.Body))
		}
	}
}

func TestARequestIDIsGivenAndKept(t *testing.T) {
	p := idptest.Start(t, nil)
	if id := serve(p, get(t, "GET", "/healthz", nil)).Header().Get("X-Request-Id"); id == "" {
		t.Error("no request id")
	}
	if id := serve(
		p, get(t, "GET", "/healthz", nil, "X-Request-Id", "from-the-proxy"),
	).Header().Get("X-Request-Id"); id != "from-the-proxy" {
		t.Errorf("request id = %q; want the proxy's", id)
	}
	for _, bad := range []string{strings.Repeat("x", 200), "a b", `"><script>`} {
		if id := serve(p, get(t, "GET", "/healthz", nil, "X-Request-Id", bad)).Header().Get("X-Request-Id"); id == bad ||
			id == "" {
			t.Errorf("request id = %q", id)
		}
	}
}

func head(t *testing.T, target string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A request with method OPTIONS that is no preflight reaches neither the endpoint nor its limit.
func TestOPTIONSDoesNothing(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, path := range []string{"/token", "/userinfo", "/jwks", "/register"} {
		w := serve(p, get(t, http.MethodOptions, path, nil))
		if w.Code != http.StatusNoContent || w.Body.Len() > 0 {
			t.Errorf("%s gives %d %s", path, w.Code, w.Body)
		}
	}
}

// A cache must not give a script of another origin an answer that was made for no origin.
func TestAnswersForProgramsVaryByOrigin(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, path := range []string{"/jwks", "/.well-known/openid-configuration", "/userinfo"} {
		if got := serve(p, get(t, http.MethodGet, path, nil)).Header().Get("Vary"); !strings.Contains(got, "Origin") {
			t.Errorf("%s: Vary is %q", path, got)
		}
	}
}
