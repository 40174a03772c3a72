package rp

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// maxReturnTo bounds return_to, in bytes, because it travels in a cookie.
const maxReturnTo = 512

// Login begins a sign-in: GET, 303 to the provider's authorization endpoint.
//
// It takes return_to from its query, a local path to go to afterwards (default: the folder of RedirectURI), and hands
// prompt, login_hint, max_age and acr_values through to the provider (Core §3.1.2.1). When it fails (provider_down,
// invalid_request) it sends the browser to return_to with error and error_description in the query.
func (p *RP) Login(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	f := p.newFlow()
	target, err := p.beginLogin(r, f)
	p.send(w, r, f, target, err)
}

// send keeps the flow and sends the browser to target; with an err, back to where it came from.
func (p *RP) send(w http.ResponseWriter, r *http.Request, f *flow, target string, err error) {
	if err == nil {
		err = p.keepFlow(w, r, f)
	}
	if err != nil {
		p.fail(w, r, f, err)
		return
	}
	redirect(w, r, target)
}

func (p *RP) beginLogin(r *http.Request, f *flow) (string, error) {
	query := r.URL.Query()
	if returnTo := query.Get("return_to"); returnTo != "" {
		if !isLocalPath(returnTo) {
			return "", oidc.InvalidRequest.Errorf("return_to is not a local path: it begins with one slash and has at most %d bytes", maxReturnTo)
		}
		f.ReturnTo = returnTo
	}
	params := url.Values{}
	for _, name := range []string{"prompt", "login_hint", "max_age", "acr_values"} {
		if query.Get(name) != "" {
			params.Set(name, query.Get(name))
		}
	}
	if err := f.expectMaxAge(params.Get("max_age")); err != nil {
		return "", err
	}
	return p.authorizationURL(r.Context(), f, params)
}

func (f *flow) expectMaxAge(maxAge string) error {
	if maxAge == "" {
		return nil
	}
	seconds, err := strconv.ParseUint(maxAge, 10, 31)
	if err != nil {
		return oidc.InvalidRequest.Errorf("max_age is not a number of seconds")
	}
	f.MaxAge = new(int64(seconds))
	return nil
}

// SilentLogin begins a renewal inside a hidden iframe: GET, 303 to the authorization endpoint with prompt=none and,
// when a user is signed in here, the last ID Token as id_token_hint (Core §3.1.2.1: "When possible, an id_token_hint
// SHOULD be present when prompt=none is used"), so that the provider knows whom to renew even among several accounts.
//
// When the provider cannot be asked the browser goes to the silent callback page all the same, and FinishSilent tells it
// why: an error page in a hidden iframe would be seen by nobody.
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
	if err := p.keepFlow(w, r, f); err != nil {
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

// isLocalPath keeps return_to from leading elsewhere (RFC 9700 §4.11). Browsers read // as the start of a host, a
// backslash as a slash, and drop tabs and line breaks before they look; url.Parse refuses those.
func isLocalPath(path string) bool {
	_, err := url.Parse(path)
	return err == nil && len(path) <= maxReturnTo &&
		strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "//") &&
		!strings.Contains(path, `\`)
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

// redirect: 303 makes the next request a GET. The answer belongs to one browser, and the URL left behind may hold a code.
func redirect(w http.ResponseWriter, r *http.Request, target string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	http.Redirect(w, r, target, http.StatusSeeOther)
}
