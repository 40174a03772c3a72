package idp_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

const registeredLogout = "http://localhost:9090/spa/"

// RP-Initiated Logout 1.0, a good request plus one change a row. The good request carries alice's id_token_hint, the
// registered post_logout_redirect_uri and a state, in alice's browser.
var logoutRows = []struct {
	name      string
	change    []string // parameter and value; "" removes
	signed    []string // who is signed in besides alice
	asks      bool     // a page asks and nobody is signed out yet
	page      string   // what the page says
	returns   bool     // after the question the browser goes back
	noReturn  bool     // signed out, without a redirect
	otherwise func(t *testing.T, b *idptest.Browser)
}{
	{name: "RP-Initiated Logout §2 a good request signs out and redirects with the state"},
	{
		name:   "RP-Initiated Logout §2 without post_logout_redirect_uri it ends on a page",
		change: []string{"post_logout_redirect_uri", ""}, noReturn: true,
	},
	{name: "RP-Initiated Logout §2 client_id beside the hint is the hint's", change: []string{"client_id", "spa"}},
	{
		name:   "RP-Initiated Logout §2 ui_locales, logout_hint and unknown parameters do no harm",
		change: []string{"ui_locales", "de", "logout_hint", "alice", "x", "y"},
	},
	{
		name:   "RFC 8252 §7.3 a loopback post_logout_redirect_uri matches with any port",
		change: []string{"post_logout_redirect_uri", "http://localhost:5173/spa/"},
	},
	{
		name: "RP-Initiated Logout §2 of several accounts the hinted one is signed out", signed: []string{"bob"},
		otherwise: stillSignedIn("bob"),
	},
	{
		name: "RP-Initiated Logout §6 without id_token_hint the page asks", change: []string{"id_token_hint", ""}, asks: true,
		page: "client_id or id_token_hint names the client",
	},
	{
		name:   "RP-Initiated Logout §6 without id_token_hint, with client_id, the page asks",
		change: []string{"id_token_hint", "", "client_id", "spa"}, asks: true, page: "Sign out of Hush?", returns: true,
	},
	{
		name:   "RP-Initiated Logout §4 what did not validate is not used, and client_id and the address are",
		change: []string{"id_token_hint", "foreign", "client_id", "spa"}, asks: true,
		page: "is an ID token of this provider", returns: true,
	},
	{
		name: "RP-Initiated Logout §6 a changed id_token_hint is none", change: []string{"id_token_hint", "changed"},
		asks: true, page: "is an ID token of this provider",
	},
	{
		name: "RP-Initiated Logout §4 an id_token_hint that is no JWT is none", change: []string{"id_token_hint", "garbage"},
		asks: true, page: "is an ID token of this provider",
	},
	{
		name: "RP-Initiated Logout §2 client_id is not the hint's", change: []string{"client_id", "web"}, asks: true,
		page: "one that was issued to another client",
	},
	{
		name: "RP-Initiated Logout §2 an unknown client_id", change: []string{"id_token_hint", "", "client_id", "nobody"},
		asks: true, page: "client_id is registered at this provider",
	},
	{
		name:   "RP-Initiated Logout §3 an unregistered post_logout_redirect_uri",
		change: []string{"post_logout_redirect_uri", "https://evil.test/"}, asks: true,
		page: "https://evil.test/, which is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri with an added query",
		change: []string{"post_logout_redirect_uri", registeredLogout + "?x=1"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 a post_logout_redirect_uri of another client",
		change: []string{"post_logout_redirect_uri", "http://localhost:9090/web/"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri MUST match exactly: the scheme",
		change: []string{"post_logout_redirect_uri", "https://localhost:9090/spa/"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri MUST match exactly: the host",
		change: []string{"post_logout_redirect_uri", "http://localhost:9090@evil.test/spa/"}, asks: true,
		page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri MUST match exactly: the path",
		change: []string{"post_logout_redirect_uri", registeredLogout + "../evil"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri MUST match exactly: a fragment",
		change: []string{"post_logout_redirect_uri", registeredLogout + "#x"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri without a scheme",
		change: []string{"post_logout_redirect_uri", "//evil.test/"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 post_logout_redirect_uri is no script",
		change: []string{"post_logout_redirect_uri", "javascript:alert(1)"}, asks: true, page: "is not registered",
	},
	{
		name:   "RP-Initiated Logout §3 without a client there is no post-logout redirection",
		change: []string{"id_token_hint", "garbage", "post_logout_redirect_uri", "https://evil.test/"}, asks: true,
		page: "is an ID token of this provider",
	},
	{
		name:   "RP-Initiated Logout §4 the OP MUST verify that it issued the hint: unsigned it is none",
		change: []string{"id_token_hint", "unsigned"}, asks: true, page: "is an ID token of this provider",
	},
	{
		name:   "RP-Initiated Logout §2 the End-User of the hint is not signed in with this browser: it asks",
		change: []string{"id_token_hint", "bobs"}, asks: true, page: "one of another sign-in",
		returns: true,
	},
	{
		name:   "RP-Initiated Logout §4 a hint that another provider signed is none",
		change: []string{"id_token_hint", "foreign"}, asks: true, page: "is an ID token of this provider",
	},
	{
		name: "RP-Initiated Logout §2 an access token is no hint", change: []string{"id_token_hint", "access"}, asks: true,
		page: "is an ID token of this provider",
	},
	{
		name: "RFC 6749 §3.1 a parameter that comes twice is none", change: []string{"state", "twice"}, asks: true,
		page: "state more than once",
	},
}

func TestLogout(t *testing.T) {
	for _, row := range logoutRows {
		for _, method := range []string{http.MethodGet, http.MethodPost} { // §2: both MUST be supported
			t.Run(row.name+" by "+method, func(t *testing.T) {
				p := idptest.Start(t, nil)
				b := p.Browser(t)
				b.SignIn("alice")
				hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
				for _, name := range row.signed {
					b.SignIn(name)
				}
				params := url.Values{
					"id_token_hint": {hint}, "post_logout_redirect_uri": {registeredLogout}, "state": {"a state;x"},
				}
				for i := 0; i < len(row.change); i += 2 {
					setLogout(t, p, params, row.change[i], row.change[i+1])
				}
				page := logout(b, method, params)
				if row.asks {
					wantPage(t, page, http.StatusOK, row.page)
					stillSignedIn("alice")(t, b)
					confirmed(t, b, page, row.returns, params)
					return
				}
				if row.noReturn {
					wantPage(t, page, http.StatusOK, "You are signed out")
				} else if got := page.Location.String(); got != backTo(params) {
					t.Errorf("redirected to %s; want %s", got, backTo(params))
				}
				if row.otherwise != nil {
					row.otherwise(t, b)
				} else {
					wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
				}
			})
		}
	}
}

// setLogout changes a parameter of a good request. Some values stand for others.
func setLogout(t *testing.T, p *idptest.Provider, params url.Values, name, value string) {
	t.Helper()
	switch hint := params.Get("id_token_hint"); value {
	case "changed":
		params.Set(name, hint[:len(hint)-8]+"AAAAAAAA")
	case "unsigned":
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`))
		params.Set(name, header+"."+strings.Split(hint, ".")[1]+".")
	case "twice":
		params.Add(name, "another")
	case "bobs", "access", "foreign":
		if value == "foreign" {
			p = idptest.Start(t, nil)
		}
		b := p.Browser(t)
		b.SignIn("bob")
		tokens := b.Tokens("spa", b.Code(idptest.Request("spa")))
		kind := "id_token"
		if value == "access" {
			kind = "access_token"
		}
		params.Set(name, tokens[kind].(string))
	default:
		params.Set(name, value)
	}
}

// confirmed signs out on the page that asks. The browser goes back only to a registered address.
func confirmed(t *testing.T, b *idptest.Browser, page idptest.Page, returns bool, params url.Values) {
	t.Helper()
	page = b.Submit(page, url.Values{"decision": {"sign_out"}})
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
	switch {
	case !returns:
		wantPage(t, page, http.StatusOK, "You are signed out")
		if strings.Contains(page.Body, `id="return-to"`) {
			t.Errorf("RP-Initiated Logout §3 the last page leads to %s", params.Get("post_logout_redirect_uri"))
		}
	case page.Location == nil || page.Location.String() != backTo(params):
		t.Errorf("after the question: %d %v; want %s", page.Status, page.Location, backTo(params))
	}
}

// logout sends the request. The redirect after an unproven POST has no ID token in its address.
func logout(b *idptest.Browser, method string, params url.Values) idptest.Page {
	if method == http.MethodGet {
		return b.Get("/logout?" + params.Encode())
	}
	page := b.Post("/logout", params)
	if page.Location == nil || page.Location.Path != "/logout" {
		return page
	}
	if hint := params.Get("id_token_hint"); hint != "" && strings.Contains(page.Location.String(), hint) {
		return idptest.Page{Body: "RFC 9700 §4.3.2 the ID token is in the address " + page.Location.String()}
	}
	return b.Get(page.Location.String())
}

func stillSignedIn(sub string) func(*testing.T, *idptest.Browser) {
	return func(t *testing.T, b *idptest.Browser) {
		t.Helper()
		if got := subject(t, b, b.Code(idptest.Request("spa", "prompt", "none"))); got != sub {
			t.Errorf("signed in is %v; want %s", got, sub)
		}
	}
}

func TestTheLogoutPageSignsOutWhenTheUserSaysSo(t *testing.T) { // RP-Initiated Logout §2
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	b.SignIn("bob")
	page := b.Get(
		"/logout?client_id=spa&post_logout_redirect_uri=" + url.QueryEscape("http://localhost:9090/spa/") + "&state=s",
	)
	stay := b.Submit(page, url.Values{"decision": {"stay"}})
	if stay.Location == nil || stay.Location.Path != "/" {
		t.Errorf("staying leads to %v", stay.Location)
	}
	wantError(
		t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.AccountSelectionRequired,
	) // both are still there
	page = b.Submit(page, url.Values{"decision": {"sign_out"}})
	if page.Location == nil || page.Location.String() != "http://localhost:9090/spa/?state=s" {
		t.Errorf("after the question: %d %v", page.Status, page.Location)
	}
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
}

func TestAPairwiseHintSignsOut(t *testing.T) { // RP-Initiated Logout §2, Core §8
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients[0].SubjectType, c.Clients[0].RedirectURIs = oidc.SubjectPairwise, []string{
			"http://localhost:9090/spa/callback.html",
		}
	})
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	if claims(t, hint)["sub"] == "alice" {
		t.Fatal("the client is not pairwise")
	}
	p.Clock.Pass(
		time.Hour,
	) // RP-Initiated Logout §2: "The OP SHOULD accept ID Tokens […] even when the exp time has passed"
	page := b.Get(
		"/logout?" + url.Values{"id_token_hint": {hint}, "post_logout_redirect_uri": {"http://localhost:9090/spa/"}}.Encode(),
	)
	if page.Location == nil || page.Location.String() != "http://localhost:9090/spa/" {
		t.Errorf("got %d %v", page.Status, page.Location)
	}
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
}

func TestAHintSignsOutAlsoWhereTheCookieDoesNotReach(t *testing.T) { // signoutSilent in a cross-site iframe
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	p.Clock.Pass(time.Hour) // an expired hint is good
	cookieless := p.Browser(t)
	if page := cookieless.Get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode()); page.Status != http.StatusOK {
		t.Fatalf("got %d", page.Status)
	}
	wantError(t, b.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
}

func TestAnOldCookieIsWorthNothingAfterLogout(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	old := b.Cookies()
	page := b.Get("/logout")
	b.Submit(page, url.Values{"decision": {"sign_out"}})
	thief := p.Browser(t)
	thief.SetCookies(old)
	wantError(t, thief.Authorize(idptest.Request("spa", "prompt", "none")), oidc.LoginRequired)
}

func TestAHintOfASignInThatIsOverEndsNoLaterOne(t *testing.T) { // RP-Initiated Logout §2, id_token_hint
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	old := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	b.Submit(b.Get("/logout"), url.Values{"decision": {"sign_out"}})
	b.SignIn("alice")
	page := b.Get("/logout?" + url.Values{"id_token_hint": {old}}.Encode())
	wantPage(t, page, http.StatusOK, "one of another sign-in")
	stillSignedIn("alice")(t, b)
}

func TestTheLastPageNamesTheUsersWhoAreStillSignedIn(t *testing.T) {
	b := idptest.Start(t, nil).Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa")))["id_token"].(string)
	b.SignIn("bob")
	page := b.Get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
	wantPage(t, page, http.StatusOK, "Robert Baker")
	if strings.Contains(page.Body, "no longer recognises") || strings.Contains(page.Body, "Alice") {
		t.Errorf("the page does not say how things are:\n%s", page.Body)
	}
}

// backTo is where a good request leads in the end.
func backTo(params url.Values) string {
	return params.Get("post_logout_redirect_uri") + "?state=a%20state%3Bx"
}

func TestTheTraceNamesTheClientOfASignOut(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	hint := b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))["id_token"].(string)
	p.Trace().Reset()
	b.Submit(b.Get("/logout?client_id=spa"), url.Values{"decision": {"sign_out"}})
	b.Get("/logout?" + url.Values{"id_token_hint": {hint}}.Encode())
	b.Post("/logout", url.Values{"id_token_hint": {hint}})
	flows := p.Trace().Flows()
	if len(flows) < 4 {
		t.Errorf("the trace has %d flows; want one of each request", len(flows))
	}
	for _, f := range flows {
		if f.ClientID != "spa" {
			t.Errorf("%s %s is of client %q", f.Records[0].Method, f.Records[0].Path, f.ClientID)
		}
	}
}
