package introspect

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Endpoint is the introspection endpoint.
type Endpoint struct {
	Issuer   string
	Clients  Clients
	Register Register
	Grants   Grants
	Tokens   Tokens
	Sign     access.Sign
	Alg      string // of answers that are a JWT, unless the client registered another
	Now      func() time.Time
	// Knows tells whether there still is a user of that sub. nil: there is.
	Knows func(sub string) bool
}

// What the endpoint asks of the rooms around it.
type (
	// Clients is a *clientauth.Authenticator.
	Clients interface {
		Authenticate(r *http.Request, form url.Values) (oidc.Client, error)
	}
	// Register is a *clients.Register.
	Register interface {
		ByID(ctx context.Context, clientID string) (oidc.Client, error)
	}
	// Grants is a *grant.Grants.
	Grants interface {
		Look(ctx context.Context, refreshToken string) (grant.Family, error)
	}
	// Tokens is an *access.Tokens.
	Tokens interface {
		Read(ctx context.Context, raw string) (access.Token, error)
		For(ctx context.Context, client oidc.Client, token access.Token) (access.Token, error)
		SubjectOf(ctx context.Context, client oidc.Client, sub string) (string, error)
	}
)

// kinds are the tokens that can be asked about, in the order in which they are looked for: token_type_hint changes nothing. RFC 7662 §2.1: "An
// authorization server MAY ignore this parameter, particularly if it is able to detect the token type automatically."
var kinds = []func(*Endpoint, context.Context, oidc.Client, string) (Claims, error){
	(*Endpoint).accessToken,
	(*Endpoint).refreshToken,
}

// inactive is all that is said of a token that is not good, or not the client's to ask about. RFC 7662 §2.2: "the authorization server SHOULD NOT
// include any additional information about an inactive token, including why the token is inactive."
var inactive = Claims{}

// Introspect answers an introspection request. RFC 7662 §2.1: "To prevent token scanning attacks, the endpoint MUST also require some form of
// authorization to access this endpoint": that of a confidential client. Its errors are *oidc.Error, or server errors to be hidden
// behind one.
// https://www.rfc-editor.org/rfc/rfc7662#section-2
func (e *Endpoint) Introspect(r *http.Request) (Answer, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return Answer{}, err
	}
	client, err := e.Clients.Authenticate(r, form)
	if err != nil {
		return Answer{}, err
	}
	if client.Public() {
		return Answer{}, oidc.InvalidClient.Errorf("client %s is public: anybody could ask in its name; introspection is for confidential clients (RFC 7662 section 2.1)", client.ClientID)
	}
	token := form.Get("token")
	if token == "" {
		return Answer{}, oidc.InvalidRequest.Errorf("token is missing; send the token that the question is about (RFC 7662 section 2.1)")
	}
	claims, err := e.find(r.Context(), client, token)
	if err != nil {
		return Answer{}, err
	}
	tell(r.Context(), claims)
	return e.answer(r, client, claims)
}

func (e *Endpoint) find(ctx context.Context, client oidc.Client, token string) (Claims, error) {
	for _, ask := range kinds {
		if claims, err := ask(e, ctx, client, token); claims.Active || err != nil {
			return claims, err
		}
	}
	return inactive, nil
}

func (e *Endpoint) accessToken(ctx context.Context, asks oidc.Client, raw string) (Claims, error) {
	token, err := e.Tokens.Read(ctx, raw)
	refused, isOurs := errors.AsType[*oidc.Error](err)
	switch {
	case isOurs && refused.Code == oidc.InvalidToken:
		return inactive, nil
	case err != nil || !mayAsk(asks, token):
		return inactive, err
	case token.AuthTime != 0 && !e.knows(token.Subject):
		return inactive, nil
	}
	client, err := e.Register.ByID(ctx, token.ClientID)
	switch {
	case errors.Is(err, clients.ErrUnknown):
		return inactive, nil // a client that is gone has no tokens any more
	case err != nil:
		return inactive, err
	}
	if token, err = e.Tokens.For(ctx, client, token); err != nil {
		return inactive, err
	}
	return ofAccessToken(token), nil
}

// mayAsk: RFC 7662 §2.2: if "the protected resource is not allowed to introspect this particular token, then the authorization server MUST
// return an introspection response with the "active" field set to "false"". The client may that it was issued to, an API that it is for,
// and a client of the house.
func mayAsk(asks oidc.Client, token access.Token) bool {
	isForIt := token.Audience.Has(asks.ClientID) || asks.Audience != "" && token.Audience.Has(asks.Audience)
	return token.ClientID == asks.ClientID || isForIt || asks.FirstParty
}

// knows: without the user a token opens nothing any more, neither here nor at userinfo.
func (e *Endpoint) knows(sub string) bool { return e.Knows == nil || e.Knows(sub) }

func (e *Endpoint) refreshToken(ctx context.Context, asks oidc.Client, raw string) (Claims, error) {
	family, err := e.Grants.Look(ctx, raw)
	for _, known := range []error{grant.ErrUnknown, grant.ErrExpired, grant.ErrRevoked, grant.ErrReplayed} {
		if errors.Is(err, known) {
			return inactive, nil
		}
	}
	if err != nil || family.Grant.ClientID != asks.ClientID || !e.knows(family.Grant.Sub) {
		return inactive, err
	}
	sub, err := e.Tokens.SubjectOf(ctx, asks, family.Grant.Sub)
	if err != nil {
		return inactive, err
	}
	return ofRefreshToken(family, sub, e.Issuer), nil
}

func tell(ctx context.Context, claims Claims) {
	step := trace.Step{Kind: trace.KindToken, Spec: "RFC 7662 §2.2", Text: "the token is good, and the client may ask about it", Outcome: trace.OK}
	if !claims.Active {
		step.Text, step.Outcome = "the token is not good, or not the client's to ask about: active is false", trace.Noted
	}
	trace.Emit(ctx, step)
}
