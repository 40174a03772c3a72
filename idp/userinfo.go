package idp

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// userinfo is GET and POST /userinfo (Core §5.3): the claims about the user that the access token's scope covers.
func (p *site) userinfo(c echo.Context) error {
	claims, token, err := p.userClaims(c.Request())
	if err == nil {
		err = p.answerUserinfo(c, token.ClientID, claims)
	}
	if err != nil {
		p.challenge(c, err)
	}
	return err
}

func (p *site) userClaims(r *http.Request) (map[string]any, access.Token, error) {
	raw, err := accessTokenOf(r)
	if err != nil {
		return nil, access.Token{}, err
	}
	token, err := p.access.Read(r.Context(), raw)
	if err == nil {
		err = p.isBound(r, raw, token)
	}
	watchUserinfo(r, raw, token, err)
	if err != nil {
		return nil, access.Token{}, err
	}
	scope := oidc.ParseScope(token.Scope)
	if !scope.Has(oidc.ScopeOpenID) {
		return nil, token, oidc.InsufficientScope.Errorf("the access token's scope is %q, expected openid in it", token.Scope)
	}
	user, ok := p.users.BySub(token.Subject)
	if !ok {
		return nil, token, oidc.InvalidToken.Errorf("the access token's user is not known any more")
	}
	return p.releasable(user.Claims, token, scope), token, nil
}

// releasable is what the scope, and the claims parameter, cover of a user's claims (Core §5.4, §5.5), and sub always (§5.3.2).
func (p *site) releasable(claims map[string]any, access access.Token, scope oidc.Scope) map[string]any {
	told := p.authorize.Release.Userinfo(claims, scope, access.Claims)
	told["sub"] = access.Subject
	return told
}

// errNoToken is the answer to a request that brings no access token.
var errNoToken = oidc.InvalidToken.Errorf("no access token came; send it as Authorization: Bearer and the token (RFC 6750 §2.1)")

// accessTokenOf takes the access token from the header or the body. RFC 6750 §2: "Clients MUST NOT use more than one method
// to transmit the token in each request." The third method, the query, ends in logs and is not offered.
func accessTokenOf(r *http.Request) (string, error) {
	header, err := oidc.BearerToken(r.Header)
	if err == nil && header == "" {
		header, err = oidc.DPoPToken(r.Header)
	}
	body := bodyTokens(r)
	switch {
	case err != nil:
		return "", err
	case header != "" && len(body) > 0, len(body) > 1:
		return "", oidc.InvalidRequest.Errorf("the access token came more than once; send it in the Authorization header only (RFC 6750 §2)")
	case header == "" && len(body) == 0:
		return "", errNoToken
	case header == "":
		return body[0], nil
	}
	return header, nil
}

func bodyTokens(r *http.Request) []string {
	if r.Method != http.MethodPost || r.ParseForm() != nil {
		return nil
	}
	return r.PostForm["access_token"]
}

// bearerChallenge is the WWW-Authenticate header. RFC 6750 §3.1: for a request without a token, or with another way to
// authenticate, "the resource server SHOULD NOT include an error code or other error information".
func bearerChallenge(realm string, err error, e *oidc.Error) string {
	challenge := fmt.Sprintf("Bearer realm=%q", realm)
	if err == errNoToken {
		return challenge
	}
	challenge += challengeError(e)
	if e.Code == oidc.InsufficientScope {
		challenge += fmt.Sprintf(", scope=%q", oidc.ScopeOpenID)
	}
	return challenge
}

// challengeError is the error in a challenge of any scheme.
func challengeError(e *oidc.Error) string {
	text := fmt.Sprintf(", error=%q, error_description=%q", e.Code, e.Description)
	if e.URI != "" {
		text += fmt.Sprintf(", error_uri=%q", e.URI)
	}
	return text
}

// watchUserinfo tells the trace what became of the access token, and joins the request to the flow that issued it.
func watchUserinfo(r *http.Request, raw string, token access.Token, err error) {
	recorder := trace.From(r.Context())
	if recorder == nil {
		return
	}
	recorder.Join(trace.JTI, token.JTI)
	step := trace.Step{Kind: trace.KindUserinfo, Spec: "Core §5.3.1", Text: "the access token is good", Outcome: trace.OK, Values: []trace.Value{trace.JWT("access_token", raw)}}
	if err != nil {
		step.Text, step.Outcome, step.Reason = oidc.AsError(err).Description, trace.Failed, string(oidc.TokenInvalid)
	}
	recorder.Emit(step)
	recorder.Set(func(record *trace.Record) { record.ClientID = token.ClientID })
}
