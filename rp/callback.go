package rp

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// maxAnswer bounds the body of FinishSilent, in bytes.
const maxAnswer = 16 << 10

// Callback finishes a sign-in: GET with the provider's answer in the query, or a POST of it where ResponseMode is form_post. It checks the answer, redeems the code,
// checks the tokens, begins a new session and sends the browser (303) to the return_to that Login was given. When
// anything fails the browser goes there too, with error and error_description in the query, and no session is begun or
// changed.
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

// FinishSilent finishes a renewal: POST by a same-origin fetch of the silent callback page, with the query that the
// page was called with as application/x-www-form-urlencoded body. It answers with a SessionView as JSON, or with
// {"error", "error_description"} and a 4xx or 5xx status.
//
// A renewal changes the session in place: the id stays, the tokens are new. It must find the same user (Core §12.2:
// "its sub Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"): with
// another one the session ends and the error is sub_mismatch. A session that ended or changed meanwhile is left as it
// is: session_changed. Other errors, login_required among them, leave the session alone too; its tokens expire by
// themselves. Without a session to renew, the user whom the provider knows is signed in.
func (p *RP) FinishSilent(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodPost) || !p.fromSameOrigin(w, r) {
		return
	}
	session, err := p.finishSilent(w, r)
	if err != nil {
		e := asError(err)
		p.logFailure(r.Context(), "silent renewal failed", e)
		writeJSON(w, status(e), e)
		return
	}
	p.config.Log.InfoContext(r.Context(), "session renewed silently", "renewals", session.Renewals)
	writeJSON(w, http.StatusOK, session.View())
}

func (p *RP) finishSilent(w http.ResponseWriter, r *http.Request) (*Session, error) {
	answer, err := readAnswer(w, r)
	if err != nil {
		return nil, err
	}
	f, session, err := p.finish(w, r, answer, true)
	if err != nil {
		return nil, err
	}
	return p.renew(w, r, f.SessionID, session)
}

func readAnswer(w http.ResponseWriter, r *http.Request) (string, error) {
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if media != "application/x-www-form-urlencoded" {
		return "", oidc.InvalidRequest.Errorf("POST the query of the callback as application/x-www-form-urlencoded")
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAnswer))
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
	query, err := url.ParseQuery(raw)
	if err != nil {
		return response{}, oidc.InvalidRequest.Errorf("the provider's answer is not a query string")
	}
	for name, values := range query { // RFC 6749 §3.1
		if len(values) > 1 {
			return response{}, oidc.InvalidRequest.Errorf("the provider's answer has %s more than once (RFC 6749 section 3.1)", clip(name))
		}
	}
	return response{
		state: query.Get("state"), iss: query.Get("iss"), code: query.Get("code"),
		sessionState: query.Get("session_state"), // Session Management §2
		err:          query.Get("error"), errDescription: query.Get("error_description"),
	}, nil
}

// finish takes the way from the answer to a session that is checked but not kept yet. The flow is nil when the answer
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
	switch {
	case answer.err != "":
		return nil, providerError(answer.err, answer.errDescription)
	case answer.code == "":
		return nil, oidc.InvalidRequest.Errorf("the provider's answer holds neither code nor error (RFC 6749 section 4.1.2)")
	}
	token, err := d.oauth2(p.config, f.Silent).Exchange(p.asClient(ctx, d), answer.code, oauth2.VerifierOption(f.CodeVerifier))
	if err != nil {
		return nil, p.explainExchange(err)
	}
	session, err := p.verify(ctx, d, f, token)
	if err == nil {
		session.SessionState = answer.sessionState
	}
	return session, err
}

// checkIssuer: RFC 9207 §2.4, "Clients MUST then decode the value … and compare the result to the issuer identifier of
// the authorization server where the authorization request was sent … If the value does not match … clients MUST reject
// the authorization response". Without the parameter only providers that never promised it are believed.
func (p *RP) checkIssuer(d *discovered, iss string) error {
	if iss == p.config.Issuer || (iss == "" && !d.metadata.AuthorizationResponseIssParameterSupported) {
		return nil
	}
	return IssuerMismatch.Errorf("the answer names the issuer '%s', expected %s (RFC 9207 section 2.4): it may come from another provider",
		clip(iss), p.config.Issuer)
}

// explainExchange puts a failed token request into words. What x/oauth2 says is not passed on, since it quotes bodies.
func (p *RP) explainExchange(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		if refused.ErrorCode != "" {
			return providerError(refused.ErrorCode, refused.ErrorDescription)
		}
		return ProviderDown.Errorf("the token endpoint answered %s without an error code (RFC 6749 section 5.2)", refused.Response.Status)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.provider.down(err)
	}
	return oidc.ServerError.Errorf("the token endpoint's answer cannot be used: %s", clip(strings.TrimPrefix(err.Error(), "oauth2: ")))
}

// returnTo is the local path that the browser goes to after f; f may be nil.
func (p *RP) returnTo(f *flow) string {
	if f == nil || f.ReturnTo == "" {
		return p.home
	}
	return f.ReturnTo
}

// fail tells the application's page about err; f may be nil.
func (p *RP) fail(w http.ResponseWriter, r *http.Request, f *flow, err error) {
	e := asError(err)
	p.logFailure(r.Context(), "sign-in failed", e)
	redirect(w, r, withParams(p.returnTo(f), e.Params()))
}

func (p *RP) logFailure(ctx context.Context, message string, e *oidc.Error) {
	p.config.Log.WarnContext(ctx, message,
		"error", string(e.Code), "error_description", e.Description, "cause", e.Unwrap())
}

// fromSameOrigin refuses requests that another origin's page made, by Sec-Fetch-Site or Origin.
func (p *RP) fromSameOrigin(w http.ResponseWriter, r *http.Request) bool {
	if p.sameOrigin.Check(r) == nil {
		return true
	}
	e := oidc.AccessDenied.Errorf("the request came from a page of another origin: only this application's own pages may send it")
	writeJSON(w, status(e), e)
	return false
}
