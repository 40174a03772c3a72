package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// goWords are words of errors of Go's packages and of libraries. They tell a client's developer nothing.
var goWords = regexp.MustCompile(`\b(json|time|url|http|mime|strconv|base64|x509|asn1|yaml|net|tls|bufio): |go-jose|` +
	`[Uu]nmarshal|invalid character|illegal base64|unexpected EOF|\bEOF\b|parsing time|cannot parse|Go (value|struct)|` +
	`\boidc\.[A-Z]|\b(registration|lab|console|authorize|trace)\.[A-Z]|\[\]string|map\[|%!|goroutine|0x[0-9a-f]{6}|` +
	`unknown field|cryptographic primitive|of type [a-z]+\.`)

// malformed are values that parsers of different kinds refuse.
func malformed() []string {
	jws := func(header, payload string) string {
		return base64.RawURLEncoding.EncodeToString([]byte(header)) + "." +
			base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
	}
	return []string{
		"x", "-1", "99999999999999999999", "1e9", "0.5", "{", "[]", "null", "{}", "true", `"x"`, `{"a":}`,
		`{"id_token":"x"}`,
		`{"id_token":{"sub":"x"}}`, `{"userinfo":[1]}`, `{"id_token":{"acr":{"values":"x"}}}`, "\x00", "\xff", "%zz", "::::",
		"http://[::1", "https://a b", "a.b.c", "e30.e30.", "e30.e30.x", "....", "=", "==", "AAAA====",
		"urn:ietf:params:oauth:request_uri:x", "https://127.0.0.1:1/x", jws(`{}`, `{}`), jws(`{"alg":"RS256"}`, `x`),
		jws(`{"alg":1}`, `{}`), jws(`{"alg":"ES256","typ":5}`, `[]`), jws(`{"alg":"none"}`, `{"exp":"x"}`),
		jws(`{"alg":"ES256","crit":"x"}`, `{"iat":{}}`), jws(`{"alg":"none"}`, `[]`), jws(`x`, `x`),
		jws(`{"alg":"RS256","typ":"at+jwt","kid":"x"}`, `{"exp":"x"}`), strings.Repeat("9", 3000),
	}
}

// said is everything in an answer that a client or a person reads.
func said(w *httptest.ResponseRecorder) string {
	location, _ := url.QueryUnescape(w.Header().Get("Location"))
	return w.Body.String() + "\n" + location + "\n" + strings.Join(w.Header().Values("WWW-Authenticate"), "\n")
}

// withReaders adds a client for each way in which a request is read.
func withReaders(c *idp.Config) {
	*c = c.WithDefaults()
	none := oidc.Client{
		ClientID: "unsigned", TokenEndpointAuthMethod: oidc.AuthMethodNone, RequestObjectSigningAlg: "none",
		RedirectURIs: []string{"http://localhost:9090/unsigned"}, GrantTypes: []string{oidc.GrantAuthorizationCode,
			oidc.GrantRefreshToken, oidc.GrantDeviceCode}, RequestURIs: []string{"https://127.0.0.1:1/x"}, FirstParty: true,
	}
	keyed := none
	keyed.ClientID, keyed.RedirectURIs = "keyed", []string{"http://localhost:9090/keyed"}
	keyed.TokenEndpointAuthMethod, keyed.RequestObjectSigningAlg = oidc.AuthMethodPrivateJWT, "ES256"
	keyed.JWKSURI = "https://127.0.0.1:1/x"
	c.Clients = append(c.Clients, none, keyed)
}

// reader sends malformed requests, with the cookies of a signed-in user, and looks at the answers.
type reader struct {
	t        *testing.T
	p        *idptest.Provider
	cookies  []*http.Cookie
	requests int
	seen     map[string]bool // the parts of answers, each between two tags: most of them are in all pages
}

func (x *reader) check(what string, r *http.Request) {
	x.t.Helper()
	for _, cookie := range x.cookies {
		r.AddCookie(cookie)
	}
	x.requests++
	for part := range strings.SplitSeq(said(serve(x.p, r)), "<") {
		if !x.seen[part] && goWords.MatchString(part) {
			x.t.Errorf("%.200s is answered with %q:\n%.400s", what, goWords.FindString(part), part)
		}
		x.seen[part] = true
	}
}

func TestNoAnswerHasWordsOfGo(t *testing.T) {
	p := idptest.Start(t, withReaders)
	b := p.Browser(t)
	b.SignIn("alice")
	x := &reader{t: t, p: p, cookies: b.Cookies(), seen: map[string]bool{}}
	for path, params := range formsOfEndpoints() {
		x.sendParams(path, params)
		x.sendBodies(path)
	}
	x.sendHeaders()
	x.sendDocuments()
	shown, err := json.Marshal(p.Trace().Flows())
	if found := goWords.Find(shown); err != nil || found != nil {
		t.Errorf("%v: the trace has %q", err, found)
	}
	if x.requests < 5000 {
		t.Errorf("only %d requests were sent", x.requests)
	}
}

func (x *reader) sendParams(path string, params url.Values) {
	x.t.Helper()
	for name := range params {
		for _, value := range malformed() {
			form := maps.Clone(params)
			form.Set(name, value)
			what := path + " " + name + "=" + value
			x.check(what, get(x.t, http.MethodPost, x.p.Issuer+path, form))
			x.check(what, get(x.t, http.MethodGet, x.p.Issuer+path+"?"+form.Encode(), nil))
		}
	}
}

func (x *reader) sendBodies(path string) {
	x.t.Helper()
	for _, body := range []string{"%zz", "a=%", "a=b;c", "{", "\x00", "a=b&a=c"} {
		for _, media := range []string{
			"application/x-www-form-urlencoded", "multipart/form-data", "a/b/c", "application/json; a=\"", "",
		} {
			r := httptest.NewRequestWithContext(x.t.Context(), http.MethodPost, x.p.Issuer+path, strings.NewReader(body))
			r.Header.Set("Content-Type", media)
			x.check(path+" "+media+" "+body, r)
		}
		r := get(x.t, http.MethodGet, x.p.Issuer+path, nil)
		r.URL.RawQuery = body
		x.check(path+"?"+body, r)
	}
}

func (x *reader) sendHeaders() {
	x.t.Helper()
	for _, value := range malformed() {
		if strings.Contains(value, "\x00") || strings.Contains(value, "\xff") {
			continue // no header has them
		}
		for _, path := range []string{"/userinfo", "/token", "/register", "/register/x", "/introspect"} {
			for _, name := range []string{"Authorization", "DPoP", "Accept-Language", "Origin", "Accept"} {
				for _, scheme := range []string{"", "Bearer ", "DPoP ", "Basic "} {
					what, given := path+" "+name+": "+scheme+value, []string{name, scheme + value}
					x.check(what, get(x.t, http.MethodGet, x.p.Issuer+path, nil, given...))
					x.check(what, get(x.t, http.MethodPost, x.p.Issuer+path, url.Values{}, given...))
				}
			}
		}
	}
}

// formsOfEndpoints are good requests as far as they go, by path, with every parameter that the endpoint reads.
func formsOfEndpoints() map[string]url.Values {
	authorize := func(client string) url.Values {
		form := idptest.Request("spa", "client_id", client, "redirect_uri", "http://localhost:9090/"+client)
		for _, name := range []string{
			"claims", "max_age", "prompt", "request", "request_uri", "resource", "id_token_hint", "login_hint", "acr_values",
			"ui_locales", "display", "response_mode", "dpop_jkt", "interaction", "claims_locales", "authorization_details",
		} {
			if form.Get(name) == "" {
				form.Set(name, "")
			}
		}
		return form
	}
	assertion := "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	keyed := url.Values{"client_id": {"keyed"}, "client_assertion_type": {assertion}, "client_assertion": {"x"}}
	token := tokenForm("x")
	for _, name := range []string{"refresh_token", "device_code", "scope", "resource", "client_secret"} {
		token.Set(name, "")
	}
	return map[string]url.Values{
		"/authorize": authorize("unsigned"), "/par": authorize("unsigned"), "/token": token, "/revoke": keyed,
		"/introspect": {"client_id": {"web"}, "client_secret": {"web-secret"}, "token": {"x"},
			"token_type_hint": {"x"}},
		"/device_authorization": {"client_id": {"unsigned"}, "scope": {"openid"}, "resource": {""}},
		"/device":               {"user_code": {"x"}, "interaction": {"x"}},
		"/logout": {"id_token_hint": {""}, "client_id": {"spa"}, "post_logout_redirect_uri": {""}, "state": {""},
			"logout_hint": {""}, "ui_locales": {""}, "logout": {""}},
		"/login": {"interaction": {""}, "username": {"x"}, "ui_locales": {""}}, "/consent": {"interaction": {""}},
		"/select_account": {"interaction": {""}}, "/check_session": {"x": {""}}, "/account": {"x": {""}},
		"/userinfo": {"access_token": {"x"}},
	}
}

// documents are malformed JSON documents, and JSON objects with members of wrong types.
func documents() []string {
	all := []string{
		"", "{", "[]", "null", "5", `"x"`, "{}{}", `{"a"}`, "\xff", `{"redirect_uris":["https://a.test/"],}`,
	}
	const good = `{"redirect_uris":["https://a.test/cb"],"client_id":"a","fault":"drop","kind":"callback","`
	for _, member := range []string{
		"redirect_uris", "jwks", "jwks_uri", "default_max_age", "client_id", "contacts", "require_auth_time", "grant_types",
		"fault", "times", "until", "for", "status", "delay", "kind", "state", "took_ms", "ago_ms", "forward", "real",
		"skew_s", "user", "access_token_lifetime", "unknown_member", "redirect_uri", "client_secret", "yaml",
	} {
		for _, value := range []string{
			`"x"`, "5", "-1.5", "1e400", "true", "{}", "[]", `[1]`, `{"keys":5}`, `{"keys":[{"kty":5}]}`, "null",
		} {
			all = append(all, `{"`+member+`":`+value+`}`, good+member+`":`+value+`}`)
		}
	}
	return all
}

// sendDocuments sends malformed JSON to each address that reads JSON.
func (x *reader) sendDocuments() {
	x.t.Helper()
	var csrf struct{ CSRF string }
	w := serve(x.p, get(x.t, http.MethodGet, x.p.Issuer+"/console/token", nil))
	if err := json.Unmarshal(w.Body.Bytes(), &csrf); err != nil || csrf.CSRF == "" {
		x.t.Fatalf("%v: %s", err, w.Body)
	}
	for _, address := range []string{
		"POST /register", "PUT /console/clients/spa", "POST /console/faults", "POST /console/clock", "POST /console/reports",
		"POST /console/clients/spa/redirect_uris", "PUT /console/users/alice", "PATCH /console/users/alice",
		"POST /console/keys", "POST /console/sessions", "POST /console/tokens",
	} {
		method, path, _ := strings.Cut(address, " ")
		for _, body := range documents() {
			r := httptest.NewRequestWithContext(x.t.Context(), method, x.p.Issuer+path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Hush-CSRF", csrf.CSRF)
			x.check(address+" "+body, r)
		}
	}
}
