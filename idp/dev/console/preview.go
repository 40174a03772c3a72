package console

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/oidc"
)

// previewBody is the body of POST /console/preview.
type previewBody struct {
	// Client is a client_id.
	Client string `json:"client"`
	// User is a username, an email address or a sub. Without it the access token is the client's own.
	User string `json:"user,omitempty"`
	// Scope is the scope of the request. Default: all that the client may ask for.
	Scope string `json:"scope,omitempty"`
	// Claims is the parameter claims of the request, a JSON object as text (Core §5.5).
	Claims string `json:"claims,omitempty"`
}

// previewAnswer has the tokens that a request would give, and the answer of userinfo, each claim with its cause.
type previewAnswer struct {
	Scope       string         `json:"scope"`              // granted
	LeftOut     []string       `json:"left_out,omitempty"` // why scope values of the request were not granted
	Absent      []string       `json:"absent,omitempty"`   // claims that the scope covers and that the user does not have
	IDToken     *previewTokens `json:"id_token,omitempty"`
	AccessToken *previewTokens `json:"access_token"`
	Userinfo    *previewTokens `json:"userinfo,omitempty"`
}

// previewTokens is one token or answer. Without claims the note says why nobody but its recipient can read it.
type previewTokens struct {
	Claims []previewClaim `json:"claims"`
	Note   string         `json:"note,omitempty"`
}

// previewClaim is one claim and the cause for which it is there.
type previewClaim struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
	Why   string `json:"why"`
	Spec  string `json:"spec,omitempty"`
}

// granted is what a request would be granted.
type granted struct {
	grant.Grant
	client  *oidc.Client
	user    map[string]any // the user's claims; nil: there is no user
	release claims.Release
}

// preview is POST /console/preview. The tokens are made as the token endpoint makes them.
func (e *Endpoint) preview(_ http.ResponseWriter, r *http.Request) (any, error) {
	var body previewBody
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	client, err := e.Clients.ByID(r.Context(), body.Client)
	if err != nil {
		return nil, unknownClient(body.Client, err)
	}
	g, err := e.granted(body, client)
	if err != nil {
		return nil, err
	}
	made, err := e.Tokens.Tokens(r.Context(), token.Wanted{Client: client, Grant: g.Grant, JKT: e.keyOf(client)})
	if err != nil {
		return nil, err
	}
	answer := previewAnswer{
		Scope: g.Scope.String(), LeftOut: client.Refused(oidc.ParseScope(body.Scope), e.Provided.Scope),
		AccessToken: g.explained(inAccessToken, made.AccessToken),
	}
	if made.IDToken != "" {
		answer.IDToken = g.explained(inIDToken, made.IDToken)
		answer.Absent = g.absent()
		answer.Userinfo, err = e.userinfo(g)
	}
	return answer, err
}

// granted is what the client would be granted for the request.
func (e *Endpoint) granted(body previewBody, client *oidc.Client) (granted, error) {
	g := granted{client: client, release: e.Tokens.Issuer.Release}
	allowed := client.AllowedScope(e.Provided.Scope)
	scope := oidc.ParseScope(body.Scope).Within(allowed)
	if body.Scope != "" && len(scope) == 0 {
		return g, oidc.InvalidScope.Errorf("nothing of scope %.200q is possible for client %s: possible is %s", body.Scope,
			client.ClientID, allowed)
	}
	asked, err := oidc.ParseClaims(body.Claims)
	if err != nil {
		return g, oidc.InvalidRequest.Errorf("claims is no JSON object by the form of Core §5.5: %s", err)
	}
	g.Grant, err = e.grantOf(tokensBody{Client: body.Client, User: body.User, Scope: scope.String()}, client)
	if user, ok := e.Users.BySub(g.Sub); ok && body.User != "" {
		g.user = user.Claims
		g.Claims = g.release.Within(asked, allowed)
	}
	if g.user != nil && client.Grants(oidc.GrantAuthorizationCode) { // other grant types are without a browser's session
		g.SID = e.Sessions.NewSID(e.Sessions.Random())
	}
	return g, err
}

// keyOf is a thumbprint in place of that of the client's key; empty: tokens of the client are bound to no key.
func (e *Endpoint) keyOf(client *oidc.Client) string {
	if !client.NeedsDPoP() {
		return ""
	}
	sum := sha256.Sum256([]byte(e.Sessions.Random()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// userinfo is the answer of the userinfo endpoint.
func (e *Endpoint) userinfo(g granted) (*previewTokens, error) {
	released := g.release.Userinfo(g.client, g.user, g.Scope, g.requested(inUserinfo))
	sub, err := e.Tokens.Issuer.Access.Subjects.Of(g.client, g.Sub)
	released["sub"] = sub
	return &previewTokens{Claims: g.causes(inUserinfo, released)}, err
}

// explained decodes a token and explains its claims.
func (g granted) explained(place, raw string) *previewTokens {
	parts := strings.Split(raw, ".")
	if len(parts) == 5 {
		return &previewTokens{Claims: []previewClaim{}, Note: "It is encrypted for the client: only the client can read it."}
	}
	if len(parts) == 3 {
		if content, err := objectIn(parts[1]); err == nil {
			return &previewTokens{Claims: g.causes(place, content)}
		}
	}
	return &previewTokens{Claims: []previewClaim{}, Note: "It is opaque: an API asks the provider about it (RFC 7662)."}
}

// causes lists the claims by name.
func (g granted) causes(place string, content map[string]any) []previewClaim {
	list := []previewClaim{}
	for name, value := range content {
		why, spec := g.cause(place, name)
		list = append(list, previewClaim{name, value, why, spec})
	}
	slices.SortFunc(list, func(a, b previewClaim) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// absent lists the claims that the scope covers and that the user does not have.
func (g granted) absent() (names []string) {
	for _, name := range g.release.Names(g.Scope) {
		if value := g.user[name]; (value == nil || value == "") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
