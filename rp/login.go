package rp

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// maxReturnTo bounds return_to, in bytes, because it travels in a cookie.
const maxReturnTo = 512

// Login begins a sign-in: GET, 303 to the provider's authorization endpoint.
//
// return_to in its query is a local path to go to afterwards (default: the folder of RedirectURI). prompt, login_hint,
// max_age and acr_values are passed on to the provider (Core §3.1.2.1). When it fails (provider_down, invalid_request),
// it redirects the browser to return_to with error and error_description in the query.
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
	query := r.URL.Query()
	if returnTo := query.Get("return_to"); returnTo != "" {
		if !isLocalPath(returnTo) {
			return "", oidc.InvalidRequest.Errorf(
				"return_to is not a local path: it begins with one slash and has at most %d bytes", maxReturnTo)
		}
		f.ReturnTo = returnTo
	}
	params := pick(query, "prompt", "login_hint", "max_age", "acr_values")
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
// the error, because nobody sees an error page in a hidden iframe.
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
	if iss := r.FormValue("iss"); iss != p.config.Issuer {
		return "", IssuerMismatch.Errorf("iss is '%s', expected %s (Core section 4): only that provider's users sign in here",
			clip(iss), p.config.Issuer)
	}
	if target := r.FormValue("target_link_uri"); target != "" {
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

// requestObjectType is RFC 9101 §10.8.
const requestObjectType = "oauth-authz-req+jwt"

// authorizationURL is the authorization endpoint with the request, signed and pushed as configured. extra holds the
// parameters that only this request has.
func (p *RP) authorizationURL(ctx context.Context, f *flow, extra url.Values) (string, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	params, err := p.authenticationRequest(f, extra)
	if err == nil && p.config.RequestObjects {
		params, err = p.requestObject(params)
	}
	if err == nil && (p.config.PushedAuthorizationRequests || d.metadata.RequirePushedAuthorizationRequests) {
		params, err = p.push(ctx, d, params)
	}
	if err != nil {
		return "", err
	}
	return withParams(d.metadata.AuthorizationEndpoint, params), nil
}

// authenticationRequest is the request of Core §3.1.2.1 with PKCE (RFC 7636 §4.3).
func (p *RP) authenticationRequest(f *flow, extra url.Values) (url.Values, error) {
	params := url.Values{
		"response_type": {"code"}, "client_id": {p.config.ClientID}, "redirect_uri": {p.config.redirectURI(f.Silent)},
		"scope": {strings.Join(p.config.Scopes, " ")}, "state": {f.State}, "nonce": {f.Nonce},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(f.CodeVerifier)}, "code_challenge_method": {"S256"},
	}
	maps.Copy(params, extra)
	if p.config.ResponseMode != "" && !f.Silent {
		params.Set("response_mode", p.config.ResponseMode)
	}
	if len(p.config.Resources) > 0 { // RFC 8707 §2
		params["resource"] = p.config.Resources
	}
	if p.prover != nil { // RFC 9449 §10: the code is bound to the key as well
		params.Set("dpop_jkt", p.prover.thumbprint)
	}
	if p.config.Claims == nil {
		return params, nil
	}
	claims, err := json.Marshal(p.config.Claims)
	params.Set("claims", string(claims))
	return params, err
}

// requestObject signs the request (RFC 9101 §4). Core §6.1 wants response_type, client_id and scope outside as well.
func (p *RP) requestObject(params url.Values) (url.Values, error) {
	claims := map[string]any{}
	for name, values := range params {
		claims[name] = values[0]
		if len(values) > 1 {
			claims[name] = values
		}
	}
	if params.Has("claims") { // Core §6.1: claims is an object there, and numbers are numbers
		claims["claims"] = json.RawMessage(params.Get("claims"))
	}
	if params.Has("max_age") {
		claims["max_age"], _ = strconv.ParseInt(params.Get("max_age"), 10, 64) // beginLogin has checked it
	}
	object, err := p.sign(signingKeyOf(p.config.ClientKey), requestObjectType, claims)
	if err != nil {
		return nil, err
	}
	signed := url.Values{"request": {object}}
	for _, name := range []string{"response_type", "client_id", "scope"} {
		signed[name] = params[name]
	}
	return signed, nil
}

// push sends the request to the provider and returns the browser's parameters in its place: RFC 9126 §2, §4.
func (p *RP) push(ctx context.Context, d *discovered, params url.Values) (url.Values, error) {
	endpoint := d.metadata.PushedAuthorizationRequestEndpoint
	if endpoint == "" {
		return nil, oidc.ServerError.Errorf("the provider cannot take pushed requests: " +
			"it has no pushed_authorization_request_endpoint (RFC 9126 section 5)")
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := p.post(ctx, d, endpoint, params, &pushed); err != nil {
		return nil, err
	}
	if pushed.RequestURI == "" {
		return nil, oidc.ServerError.Errorf("the answer to the pushed request has no request_uri (RFC 9126 section 2.2)")
	}
	return url.Values{"client_id": {p.config.ClientID}, "request_uri": {pushed.RequestURI}}, nil
}
