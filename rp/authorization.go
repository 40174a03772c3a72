package rp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// requestObjectType is the typ of a request object (RFC 9101 §10.8).
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

const (
	maxForm        = 16 << 10    // bytes of a posted form
	postedLifetime = time.Minute // from a posted answer to the GET that follows at once
	maxPosted      = 1 << 10     // bytes of a posted answer; all cookies together stay below the limits of servers
	postedParam    = "posted"
)

// Callback finishes a sign-in: GET with the provider's answer in the query, or a POST of it where ResponseMode is
// form_post. It checks the answer and the tokens, begins a new session and redirects the browser (303) to the return_to
// of Login. When a step fails, the redirect has error and error_description in the query, and no session changes. A
// sign-in that Config.OnSignIn refuses ends the session that was there before as well.
func (p *RP) Callback(w http.ResponseWriter, r *http.Request) {
	if p.config.ResponseMode == responseModeFormPost && r.Method == http.MethodPost {
		p.takePosted(w, r)
		return
	}
	if !allow(w, r, http.MethodGet) {
		return
	}
	f, session, err := p.finish(w, r, p.answer(w, r), false)
	if err == nil {
		err = p.signIn(w, r, session)
	}
	if err != nil {
		p.fail(w, r, f, err)
		return
	}
	redirect(w, r, p.returnTo(f))
}

// FinishSilent finishes a renewal: POST by a same-origin fetch of the silent callback page, with the query of that page
// as application/x-www-form-urlencoded body. It answers with a SessionView as JSON, or with {"error",
// "error_description"} and a 4xx or 5xx status.
//
// A renewal changes the tokens of the session and not its id. With another user the session ends: sub_mismatch (Core
// §12.2). A session that ended or changed meanwhile stays as it is: session_changed. Other errors, such as
// login_required, do not change the session either. Without a session the user of the provider's session is signed in.
func (p *RP) FinishSilent(w http.ResponseWriter, r *http.Request) {
	if !p.allowOwnPages(w, r) {
		return
	}
	session, err := p.finishSilent(w, r)
	if err == nil {
		p.config.Log.InfoContext(r.Context(), "session renewed silently", "renewals", session.Renewals)
	}
	p.answerView(w, r, session, err)
}

// answerView answers a renewal.
func (p *RP) answerView(w http.ResponseWriter, r *http.Request, session *Session, err error) {
	if err != nil {
		p.refuse(w, r, "renewal failed", err)
		return
	}
	writeJSON(w, http.StatusOK, session.View())
}

func (p *RP) finishSilent(w http.ResponseWriter, r *http.Request) (*Session, error) {
	answer, err := readForm(w, r)
	if err != nil {
		return nil, err
	}
	f, session, err := p.finish(w, r, answer, true)
	if err != nil {
		return nil, err
	}
	return p.renew(w, r, f.SessionID, session)
}

func readForm(w http.ResponseWriter, r *http.Request) (string, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return "", oidc.InvalidRequest.Errorf("POST the query of the callback as application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return "", oidc.InvalidRequest.Errorf("the body cannot be read: %v", err)
	}
	return string(body), nil
}

// response is the authorization response: Core §3.1.2.5, RFC 6749 §4.1.2.1, RFC 9207 §2.
type response struct {
	state, iss, code, sessionState, err, errDescription string
}

func parseResponse(raw string) (response, error) {
	query, err := oidc.ParseQuery(raw)
	if err != nil {
		return response{}, oidc.InvalidRequest.Errorf("the provider's answer is not a query string")
	}
	for name, values := range query {
		if len(values) > 1 {
			return response{}, oidc.InvalidRequest.Errorf("the provider's answer has %s more than once (RFC 6749 section 3.1)",
				clip(name))
		}
	}
	return response{
		state: query.Get("state"), iss: query.Get("iss"), code: query.Get("code"),
		sessionState: query.Get("session_state"), // Session Management §2
		err:          query.Get("error"), errDescription: query.Get("error_description"),
	}, nil
}

// finish turns the provider's answer into a checked session that is not stored yet. The flow is nil when the answer
// belongs to none.
func (p *RP) finish(w http.ResponseWriter, r *http.Request, raw string, silent bool) (*flow, *Session, error) {
	answer, err := parseResponse(raw)
	if err != nil {
		return nil, nil, err
	}
	f, err := p.takeFlow(w, r, answer.state, silent)
	if err != nil {
		return f, nil, err
	}
	session, err := p.redeem(r.Context(), f, answer)
	return f, session, err
}

func (p *RP) redeem(ctx context.Context, f *flow, answer response) (*Session, error) {
	if f.Failed != nil {
		return nil, f.Failed
	}
	d, err := p.provider.discover(ctx)
	if err != nil {
		return nil, err
	}
	if err := p.checkIssuer(d, answer.iss); err != nil { // before error: RFC 9207 §2.4 is about error responses too
		return nil, err
	}
	if answer.err != "" {
		return nil, providerError(answer.err, answer.errDescription)
	}
	if answer.code == "" {
		return nil, oidc.InvalidRequest.Errorf("the provider's answer holds neither code nor error (RFC 6749 section 4.1.2)")
	}
	authenticated := gooidc.ClientContext(ctx, p.httpClient(d))
	token, err := p.oauth2(d, f.Silent).Exchange(authenticated, answer.code, oauth2.VerifierOption(f.CodeVerifier))
	if err != nil {
		return nil, p.explainExchange(err)
	}
	session, err := p.verifyTokens(ctx, d, token, idToken{flow: f})
	if err == nil {
		session.SessionState = answer.sessionState
	}
	return session, err
}

// checkIssuer: RFC 9207 §2.4, "compare the result to the issuer identifier of the authorization server where the
// authorization request was sent". iss may be missing when the provider's metadata do not promise it.
func (p *RP) checkIssuer(d *discovered, iss string) error {
	if iss == p.config.Issuer || (iss == "" && !d.metadata.AuthorizationResponseIssParameterSupported) {
		return nil
	}
	return IssuerMismatch.Errorf(
		"the answer names the issuer '%s', expected %s (RFC 9207 section 2.4): it may come from another provider",
		clip(iss), p.config.Issuer)
}

// explainExchange is the error of a failed token request. Texts of x/oauth2 that quote bodies are not passed on.
func (p *RP) explainExchange(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if refused.ErrorCode != "" {
			return providerError(refused.ErrorCode, refused.ErrorDescription)
		}
		return ProviderDown.Errorf("the token endpoint answered %s without an error code (RFC 6749 section 5.2)",
			refused.Response.Status)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.provider.down(err)
	}
	return oidc.ServerError.Errorf("the token endpoint's answer cannot be used: %s",
		clip(strings.TrimPrefix(err.Error(), "oauth2: ")))
}

// returnTo is the local path that the browser goes to after f; f may be nil.
func (p *RP) returnTo(f *flow) string { return cmp.Or(cmp.Or(f, &flow{}).ReturnTo, p.config.Home) }

// fail redirects the browser to the application's page with err in the query; f may be nil.
func (p *RP) fail(w http.ResponseWriter, r *http.Request, f *flow, err error) {
	e := asError(err)
	p.logFailure(r.Context(), "sign-in failed", e)
	redirect(w, r, withParams(p.returnTo(f), e.Params()))
}

// posted is an answer by form_post, between the provider's POST and the GET that carries this application's cookies.
type posted struct {
	Answer string
	Exp    time.Time
}

// takePosted receives an answer by form_post (OAuth 2.0 Form Post Response Mode §2). The POST of another site has
// no Lax cookies; the redirect after it has them. An encrypted cookie carries the answer over, outside any URL.
func (p *RP) takePosted(w http.ResponseWriter, r *http.Request) {
	answer, err := readForm(w, r)
	if err == nil && len(answer) > maxPosted {
		err = oidc.InvalidRequest.Errorf("the provider's answer has %d bytes, expected at most %d", len(answer), maxPosted)
	}
	name := shortHash(answer)
	if err == nil {
		value := posted{answer, p.config.Now().Add(postedLifetime)}
		err = p.cookies.set(w, p.postedCookie(name), value, postedLifetime)
	}
	if err != nil {
		p.fail(w, r, nil, err)
		return
	}
	redirect(w, r, withParams(p.config.RedirectURI, url.Values{postedParam: {name}}))
}

// postedCookie is one of four names: any site can make a browser post answers, and servers limit the cookies.
func (p *RP) postedCookie(name string) string { return p.cookies.posted + string('0'+name[0]&3) }

// answer is the provider's answer, from the query or from the cookie of takePosted.
func (p *RP) answer(w http.ResponseWriter, r *http.Request) string {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	name := query.Get(postedParam)
	if p.config.ResponseMode != responseModeFormPost || name == "" {
		return r.URL.RawQuery
	}
	var received posted
	found := p.cookies.get(r, p.postedCookie(name), &received)
	if !found || shortHash(received.Answer) != name || !p.config.Now().Before(received.Exp) {
		return ""
	}
	p.cookies.remove(w, p.postedCookie(name))
	return received.Answer
}
