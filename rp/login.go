package rp

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// maxReturnTo bounds return_to, in bytes, because it travels in a cookie.
const maxReturnTo = 512

// Login begins a sign-in: GET, 303 to the provider's authorization endpoint.
//
// return_to in its query is a local path to go to afterwards (default: Config.Home). prompt, login_hint,
// max_age and acr_values are passed on to the provider (Core §3.1.2.1). When it fails (provider_down, invalid_request),
// it redirects the browser to return_to with error and error_description in the query.
//
// prompt=none renews the session by a redirect of the whole page, without a page of the provider. It works where the
// browser withholds the provider's cookie from a hidden iframe. The last ID Token goes along as id_token_hint.
func (p *RP) Login(w http.ResponseWriter, r *http.Request) {
	if allow(w, r, http.MethodGet) {
		p.begin(w, r, p.beginLogin)
	}
}

// begin redirects the browser to the address that request returns, with the cookie of a new flow.
func (p *RP) begin(w http.ResponseWriter, r *http.Request, request func(*http.Request, *flow) (string, error)) {
	f := p.newFlow()
	target, err := request(r, f)
	if err == nil {
		err = p.storeFlow(w, r, f)
	}
	if err != nil {
		p.fail(w, r, f, err)
		return
	}
	redirect(w, r, target)
}

func (p *RP) beginLogin(r *http.Request, f *flow) (string, error) {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	if returnTo := query.Get("return_to"); returnTo != "" {
		if !isLocalPath(returnTo) {
			return "", oidc.InvalidRequest.Errorf(
				"return_to is not a local path: it begins with one slash and has at most %d bytes", maxReturnTo)
		}
		f.ReturnTo = returnTo
	}
	params := pick(query, "prompt", "login_hint", "max_age", "acr_values")
	if params.Get("prompt") == string(oidc.PromptNone) {
		if _, session, err := p.current(r); err == nil {
			session.addHint(params)
		}
	}
	if maxAge := params.Get("max_age"); maxAge != "" {
		seconds, err := strconv.ParseUint(maxAge, 10, 31)
		if err != nil {
			return "", oidc.InvalidRequest.Errorf("max_age is not a number of seconds")
		}
		f.MaxAge = new(int64(seconds))
	}
	return p.authorizationURL(r.Context(), f, params)
}

// SilentLogin begins a renewal inside a hidden iframe: GET, 303 to the authorization endpoint with prompt=none. The
// last ID Token goes along as id_token_hint (Core §3.1.2.1), so that the provider knows the account even among several.
//
// When the provider cannot be asked, the browser goes to the silent callback page all the same and FinishSilent reports
// the error, because an error page in a hidden iframe is not visible.
func (p *RP) SilentLogin(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	if p.config.SilentRedirectURI == "" {
		http.Error(w, "silent login is not configured: set Config.SilentRedirectURI", http.StatusNotFound)
		return
	}
	f := p.newFlow()
	f.Silent = true
	target, err := p.beginSilent(r, f)
	if err != nil {
		f.Failed = asError(err)
		target = withParams(p.config.SilentRedirectURI, url.Values{"state": {f.State}})
	}
	if err := p.storeFlow(w, r, f); err != nil {
		p.config.Log.ErrorContext(r.Context(), "silent login: the flow cookie cannot be made", "error", err)
	}
	redirect(w, r, target)
}

func (p *RP) beginSilent(r *http.Request, f *flow) (string, error) {
	params := url.Values{"prompt": {string(oidc.PromptNone)}}
	id, session, err := p.current(r)
	if err == nil {
		f.SessionID = id
		session.addHint(params)
	} else if !errors.Is(err, ErrNoSession) {
		return "", err
	}
	return p.authorizationURL(r.Context(), f, params)
}

// InitiateLogin begins a sign-in that another party asks for (Core §4), mounted at the registered initiate_login_uri:
// GET, or POST of a form, with the provider's iss, and optionally login_hint and target_link_uri. target_link_uri must
// lead to this application (Core §4: "to prevent being used as an open redirector").
func (p *RP) InitiateLogin(w http.ResponseWriter, r *http.Request) {
	if allow(w, r, http.MethodGet, http.MethodPost) {
		p.begin(w, r, p.beginInitiated)
	}
}

func (p *RP) beginInitiated(r *http.Request, f *flow) (string, error) {
	if err := oidc.ParseForm(r); err != nil {
		return "", oidc.InvalidRequest.Errorf("the parameters cannot be read: %s", oidc.FormFault(err))
	}
	if iss := r.Form.Get("iss"); iss != p.config.Issuer {
		return "", IssuerMismatch.Errorf("iss is '%s', expected %s (Core section 4): only that provider's users sign in here",
			clip(iss), p.config.Issuer)
	}
	if target := r.Form.Get("target_link_uri"); target != "" {
		origin := oidc.Origin(p.config.RedirectURI)
		local, ok := strings.CutPrefix(target, origin)
		if !ok || !isLocalPath(local) {
			return "", oidc.InvalidRequest.Errorf("target_link_uri leads to another origin than %s (Core section 4)", origin)
		}
		f.ReturnTo = local
	}
	return p.authorizationURL(r.Context(), f, pick(r.Form, "login_hint"))
}

// pick returns the parameters of form called names that are not empty.
func pick(form url.Values, names ...string) url.Values {
	picked := url.Values{}
	for _, name := range names {
		if value := form.Get(name); value != "" {
			picked.Set(name, value)
		}
	}
	return picked
}

// isLocalPath accepts paths of this application only (RFC 9700 §4.11, open redirectors). Browsers read // as the start
// of a host and a backslash as a slash, and drop tabs and line breaks first; url.Parse refuses those.
func isLocalPath(path string) bool {
	_, err := url.Parse(path)
	return err == nil && len(path) <= maxReturnTo &&
		strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") && !strings.Contains(path, `\`)
}

// allow answers 405 to any other method.
func allow(w http.ResponseWriter, r *http.Request, methods ...string) bool {
	if slices.Contains(methods, r.Method) {
		return true
	}
	w.Header().Set("Allow", strings.Join(methods, ", "))
	http.Error(w, "use "+strings.Join(methods, " or "), http.StatusMethodNotAllowed)
	return false
}

// allowOwnPages accepts POST requests of this application's pages, judged by Sec-Fetch-Site or Origin.
func (p *RP) allowOwnPages(w http.ResponseWriter, r *http.Request) bool {
	if !allow(w, r, http.MethodPost) {
		return false
	}
	if p.sameOrigin.Check(r) == nil {
		return true
	}
	writeError(w, oidc.AccessDenied.Errorf("the request came from a page of another origin: "+
		"only this application's own pages may send it"))
	return false
}

// redirect answers 303, which makes the next request a GET, and keeps the answer out of caches and Referer headers.
func redirect(w http.ResponseWriter, r *http.Request, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, target, http.StatusSeeOther)
}

const (
	flowLifetime = 10 * time.Minute // from the authorization request to its answer
	maxFlows     = 5                // of each kind, silent or not, in one browser; a cookie of about 1 kB each
	minCookieKey = 32               // bytes
)

// flow is the state of one authorization request until its answer comes. Each flow has an encrypted cookie of its own,
// so that several tabs, and a silent renewal beside a login, are independent.
type flow struct {
	State        string
	Nonce        string
	CodeVerifier string
	Exp          time.Time
	Silent       bool
	ReturnTo     string `json:",omitempty"`
	MaxAge       *int64 `json:",omitempty"` // seconds; nil: not asked for
	// SessionID is the session that a silent flow renews; empty when there was none.
	SessionID string `json:",omitempty"`
	// Failed is the reason why the provider was not asked. Only silent flows are stored with it.
	Failed *oidc.Error `json:",omitempty"`
}

// newFlow makes new secrets: state and nonce of 130 bits, a verifier of 256 (RFC 7636 §4.1).
func (p *RP) newFlow() *flow {
	exp := p.config.Now().Add(flowLifetime)
	return &flow{State: rand.Text(), Nonce: rand.Text(), CodeVerifier: oauth2.GenerateVerifier(), Exp: exp}
}

// storeFlow sets the flow's cookie and removes stale ones.
func (p *RP) storeFlow(w http.ResponseWriter, r *http.Request, f *flow) error {
	p.removeOldFlows(w, r, f.Silent)
	return p.cookies.set(w, p.flowCookie(f.State), f, flowLifetime)
}

// flowCookie names the cookie by a hash, because state comes from outside.
func (p *RP) flowCookie(state string) string { return p.cookies.flow + shortHash(state) }

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// removeOldFlows removes the cookies of expired flows, and the oldest flows of the given kind beyond maxFlows. The two
// kinds are counted apart, so that failing renewals do not remove the flow of a user at the sign-in page.
func (p *RP) removeOldFlows(w http.ResponseWriter, r *http.Request, silent bool) {
	exp := map[string]time.Time{}
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, p.cookies.flow) {
			continue
		}
		var f flow
		if !p.cookies.get(r, cookie.Name, &f) || !p.config.Now().Before(f.Exp) {
			p.cookies.remove(w, cookie.Name)
			continue
		}
		if f.Silent == silent {
			exp[cookie.Name] = f.Exp
		}
	}
	newestFirst := slices.SortedFunc(maps.Keys(exp), func(a, b string) int { return exp[b].Compare(exp[a]) })
	for i := maxFlows - 1; i < len(newestFirst); i++ {
		p.cookies.remove(w, newestFirst[i])
	}
}

// takeFlow finds the flow of state and spends it: a second request with the same state, also at the same time, gets
// InvalidState. The flow is nil when none was found.
func (p *RP) takeFlow(w http.ResponseWriter, r *http.Request, state string, silent bool) (*flow, error) {
	var f flow
	name := p.flowCookie(state)
	found := p.cookies.get(r, name, &f)
	if !found || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 || f.Silent != silent {
		return nil, InvalidState.Errorf("no sign-in of this browser belongs to this answer: it is finished already, "+
			"was begun in another browser or at another host name than that of %s, or its cookie is gone; start again",
			p.config.redirectURI(silent))
	}
	p.cookies.remove(w, name)
	if !p.config.Now().Before(f.Exp) {
		return &f, InvalidState.Errorf("the answer came later than %v after the request: start again", flowLifetime)
	}
	return &f, spendOnce(r.Context(), p.spent, state, flowLifetime,
		InvalidState.Errorf("this answer has been used before: start again"))
}

// cookies encrypts and names this client's cookies.
type cookies struct {
	codecs  []securecookie.Codec
	secure  bool
	session string // the name of the session cookie
	flow    string // the prefix of the names of the cookies of flows
	posted  string // the prefix of the names of the cookies of posted answers
}

// newCookies makes the names unique for the client, its origin and its provider: cookies ignore ports, and an answer of
// one provider never matches the request to another (RFC 9700 §4.4, mix-up). On https the prefix __Host- keeps other
// hosts of the domain from setting a cookie (RFC 6265bis §4.1.3.2).
func newCookies(c Config) (cookies, error) {
	origin := oidc.Origin(c.RedirectURI)
	sum := sha256.Sum256([]byte(c.ClientID + "\x00" + origin + "\x00" + c.Issuer))
	name := "rp_" + hex.EncodeToString(sum[:4])
	secure := strings.HasPrefix(origin, "https:")
	if secure {
		name = "__Host-" + name
	}
	codecs, err := newCodecs(c.CookieKeys)
	return cookies{codecs, secure, name + "_session", name + "_flow_", name + "_posted_"}, err
}

// newCodecs derives an authentication key and an encryption key from each of keys. The records inside expire by
// Config.Now, so the clock of securecookie is switched off.
func newCodecs(keys [][]byte) (codecs []securecookie.Codec, err error) {
	for _, key := range keys {
		var derived [2][]byte
		for i, use := range []string{"authenticate", "encrypt"} {
			if derived[i], err = hkdf.Key(sha256.New, key, nil, "hush rp cookie: "+use, 32); err != nil {
				return nil, fmt.Errorf("rp: CookieKeys: %w", err)
			}
		}
		codecs = append(codecs, securecookie.New(derived[0], derived[1]).MaxAge(0).SetSerializer(securecookie.JSONEncoder{}))
	}
	return codecs, nil
}

// set encrypts value into a cookie. With maxAge 0 the cookie ends with the browser.
func (c cookies) set(w http.ResponseWriter, name string, value any, maxAge time.Duration) error {
	sealed, err := securecookie.EncodeMulti(name, value, c.codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(name, sealed, int(maxAge.Seconds())))
	return nil
}

// get decrypts the cookie called name; it returns false for a missing, changed or foreign one.
func (c cookies) get(r *http.Request, name string, into any) bool {
	cookie, err := r.Cookie(name)
	return err == nil && securecookie.DecodeMulti(name, cookie.Value, into, c.codecs...) == nil
}

func (c cookies) remove(w http.ResponseWriter, name string) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

// cookie is SameSite=Lax: the answer to a login is a top-level navigation from another site, which gets no Strict
// cookies.
func (c cookies) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	}
}
