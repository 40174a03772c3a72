package token

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Endpoint is the token endpoint.
type Endpoint struct {
	Clients  Clients
	Grants   Grants
	Issuer   string
	Audience string // the API that access tokens are for, unless the client says otherwise
	Sign     Sign
	Now      func() time.Time
	Random   func() string // jti: 128 bits or more
}

// What the endpoint asks of the rooms around it. The provider's own implement these; so do the decorators around them,
// through which the trace watches and the failure lab meddles.
type (
	// Clients is a *clients.Register.
	Clients interface {
		ByID(clientID string) (oidc.Client, bool)
	}
	// Grants is a *grant.Grants.
	Grants interface {
		Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (grant.Grant, error)
	}
	// Sign makes a JWT of claims, as keys.Ring does.
	Sign func(ctx context.Context, alg, typ string, claims any) (string, error)
)

// Response is a successful answer (RFC 6749 §5.1, Core §3.1.3.3).
type Response struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"` // Bearer
	ExpiresIn   int    `json:"expires_in"` // seconds
	IDToken     string `json:"id_token"`
	Scope       string `json:"scope"`
}

// request is a token request by the names of RFC 6749 §4.1.3 and RFC 7636 §4.5, of a client that authenticated.
type request struct {
	Client       oidc.Client
	Code         string
	RedirectURI  string
	CodeVerifier string
}

// grantTypes are what grant_type may be, each with the one function that obeys it.
var grantTypes = map[string]func(*Endpoint, context.Context, request) (Response, error){
	"authorization_code": (*Endpoint).authorizationCode,
}

// GrantTypes lists the values of grant_type that the endpoint knows.
func GrantTypes() []string { return []string{"authorization_code"} }

// Exchange answers a token request. Its errors are *oidc.Error, or server errors to be hidden behind one.
func (e *Endpoint) Exchange(r *http.Request) (Response, error) {
	form, err := readForm(r)
	if err != nil {
		return Response{}, err
	}
	client, err := e.authenticate(r, form)
	if err != nil {
		tellRefused(r.Context(), err)
		return Response{}, err
	}
	trace.Take(r.Context(), &clientAuthenticated)
	obey, err := e.grantType(client, form.Get("grant_type"))
	if err != nil {
		return Response{}, err
	}
	return obey(e, r.Context(), request{
		Client:       client,
		Code:         form.Get("code"),
		RedirectURI:  form.Get("redirect_uri"),
		CodeVerifier: form.Get("code_verifier"),
	})
}

var clientAuthenticated = trace.Step{Kind: trace.KindClient, Spec: "RFC 6749 §2.3", Text: "the client is who it says, by its registered method", Outcome: trace.OK}

// tellRefused tells the trace that the client is not who it says.
func tellRefused(ctx context.Context, err error) {
	step := clientAuthenticated
	step.Text, step.Outcome, step.Reason = "the client is not known, or did not prove who it is", trace.Failed, string(oidc.AsError(err).Reason)
	trace.Emit(ctx, step)
}

// readForm reads the body. RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once"; parameters
// in the URL do not count, since URLs end in logs.
func readForm(r *http.Request) (url.Values, error) {
	const want = "application/x-www-form-urlencoded"
	if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); !strings.EqualFold(strings.TrimSpace(media), want) {
		return nil, oidc.InvalidRequest.Errorf("the Content-Type is %.100q; expected %s (RFC 6749 §4.1.3)", media, want)
	}
	if err := r.ParseForm(); err != nil {
		return nil, oidc.InvalidRequest.Errorf("the form in the body cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	for _, name := range slices.Sorted(maps.Keys(r.PostForm)) {
		values := r.PostForm[name]
		switch {
		case len(values) > 1:
			return nil, oidc.InvalidRequest.Errorf("%.50q came %d times; send each parameter once (RFC 6749 §3.2)", name, len(values))
		case !utf8.ValidString(values[0]):
			return nil, oidc.InvalidRequest.Errorf("%.50q is not UTF-8 (RFC 6749 appendix B)", name)
		}
	}
	return r.PostForm, nil
}

func (e *Endpoint) grantType(client oidc.Client, grantType string) (func(*Endpoint, context.Context, request) (Response, error), error) {
	if grantType == "" {
		return nil, oidc.InvalidRequest.Errorf("grant_type is missing; send grant_type=authorization_code (RFC 6749 §4.1.3)")
	}
	obey, ok := grantTypes[grantType]
	if !ok {
		return nil, oidc.UnsupportedGrantType.Errorf("grant_type %.50q is not supported; supported: %s", grantType, strings.Join(GrantTypes(), ", "))
	}
	if len(client.GrantTypes) > 0 && !slices.Contains(client.GrantTypes, grantType) {
		return nil, oidc.UnauthorizedClient.Errorf("client %s is not registered for grant_type %s; registered: %s",
			client.ClientID, grantType, strings.Join(client.GrantTypes, ", "))
	}
	return obey, nil
}
