package idp

import (
	"fmt"
	"maps"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/oidc"
)

// userinfo is GET and POST /userinfo (Core §5.3): the claims about the user that the access token's scope covers.
func (p *Provider) userinfo(c echo.Context) error {
	claims, err := p.userClaims(c.Request())
	if err != nil {
		c.Response().Header().Set("WWW-Authenticate", bearerChallenge(p.config.Issuer, err, p.explain(err)))
		return err
	}
	return c.JSON(http.StatusOK, claims)
}

func (p *Provider) userClaims(r *http.Request) (map[string]any, error) {
	raw, err := accessTokenOf(r)
	if err != nil {
		return nil, err
	}
	access, err := p.accessToken(r.Context(), raw)
	p.watchUserinfo(r, raw, access, err)
	if err != nil {
		return nil, err
	}
	scope := oidc.ParseScope(access.Scope)
	if !scope.Has(oidc.ScopeOpenID) {
		return nil, oidc.InsufficientScope.Errorf("the access token's scope is %q, expected openid in it", access.Scope)
	}
	user, ok := p.users.BySub(access.Subject)
	if !ok {
		return nil, oidc.InvalidToken.Errorf("the access token's user is not known any more")
	}
	return releasable(user.Claims, access.Subject, scope), nil
}

// releasable is what the scope covers of a user's claims (Core §5.4), and sub always (§5.3.2).
func releasable(claims map[string]any, sub string, scope oidc.Scope) map[string]any {
	covered := maps.Clone(claims)
	names := oidc.Scope(scope.Claims())
	maps.DeleteFunc(covered, func(name string, _ any) bool { return !names.Has(name) })
	if covered == nil {
		covered = map[string]any{}
	}
	covered["sub"] = sub
	return covered
}

// errNoToken is the answer to a request that brings no access token.
var errNoToken = oidc.InvalidToken.Errorf("no access token came; send it as Authorization: Bearer and the token (RFC 6750 §2.1)")

// accessTokenOf takes the access token from the header or the body. RFC 6750 §2: "Clients MUST NOT use more than one method
// to transmit the token in each request." The third method, the query, ends in logs and is not offered.
func accessTokenOf(r *http.Request) (string, error) {
	header, err := oidc.BearerToken(r.Header)
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
	challenge += fmt.Sprintf(", error=%q, error_description=%q", e.Code, e.Description)
	if e.URI != "" {
		challenge += fmt.Sprintf(", error_uri=%q", e.URI)
	}
	if e.Code == oidc.InsufficientScope {
		challenge += fmt.Sprintf(", scope=%q", oidc.ScopeOpenID)
	}
	return challenge
}
