// Package renewal is an OpenID client without a browser: users sign in through the provider's own forms, renew their
// tokens silently, and check every answer.
//
//	New          metadata and keys of a provider
//	User.SignIn  an authorization request, the forms that come, the code
//	User.Renew   prompt=none, then the code
package renewal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"
)

// timeout bounds one HTTP exchange. It is long: it detects requests that hang, not slow ones.
const timeout = 30 * time.Second

// Options are what a client knows of itself and of its provider.
type Options struct {
	Issuer, ClientID, RedirectURI string
	Scopes                        []string

	Hint        bool // renewals send the last ID token as id_token_hint
	AccessJWT   bool // access tokens are those of RFC 9068
	AuthTime    bool // ID tokens have auth_time
	Constant    bool // the provider sends constants in the place of codes and tokens: they are not checked
	Connections int  // that are left open between requests
}

// Client is the OpenID client of all its users.
type Client struct {
	oauth2.Config
	options                Options
	sendsIss               bool // RFC 9207 §3: iss is in each authorization response
	transport              *http.Transport
	idTokens, accessTokens *gooidc.IDTokenVerifier
}

// New reads the provider's metadata.
func New(ctx context.Context, o Options) (*Client, error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = o.Connections
	ctx = gooidc.ClientContext(ctx, &http.Client{Transport: transport, Timeout: timeout})
	provider, err := gooidc.NewProvider(ctx, o.Issuer)
	if err != nil {
		return nil, fmt.Errorf("discovery failed; does the provider run, and is the issuer its own spelling? %w", err)
	}
	var metadata struct {
		SendsIss bool `json:"authorization_response_iss_parameter_supported"`
	}
	if err := provider.Claims(&metadata); err != nil {
		return nil, err
	}
	endpoint := provider.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &Client{
		Config:       oauth2.Config{ClientID: o.ClientID, RedirectURL: o.RedirectURI, Endpoint: endpoint, Scopes: o.Scopes},
		options:      o,
		sendsIss:     metadata.SendsIss,
		transport:    transport,
		idTokens:     provider.VerifierContext(ctx, &gooidc.Config{ClientID: o.ClientID}),
		accessTokens: provider.VerifierContext(ctx, &gooidc.Config{SkipClientIDCheck: true}),
	}, nil
}

// tokens are the checked tokens of one response.
type tokens struct {
	idToken, accessToken, sub string
	authTime                  int64
}

// check verifies both tokens: the ID token by Core §3.1.3.7, the access token by RFC 9068 §2 if it is one of those.
func (c *Client) check(ctx context.Context, response *oauth2.Token, a attempt) (t tokens, err error) {
	t.accessToken = response.AccessToken
	t.idToken, _ = response.Extra("id_token").(string)
	if c.options.Constant {
		return t, nil
	}
	id, err := c.idTokens.Verify(ctx, t.idToken)
	if err != nil {
		return t, failf("ID token", "%v", err)
	}
	if id.Nonce != a.nonce { // Core §3.1.3.7, rule 11
		return t, failf("nonce", "is %q, sent %q", id.Nonce, a.nonce)
	}
	var claims struct {
		AuthTime int64 `json:"auth_time"`
	}
	if err := id.Claims(&claims); err != nil {
		return t, failf("claims", "%v", err)
	}
	t.sub, t.authTime = id.Subject, claims.AuthTime
	if c.options.AccessJWT {
		err = c.checkAccess(ctx, t)
	}
	return t, err
}

func (c *Client) checkAccess(ctx context.Context, t tokens) error {
	access, err := c.accessTokens.Verify(ctx, t.accessToken)
	if err != nil {
		return failf("access token", "%v", err)
	}
	var claims struct {
		ClientID string `json:"client_id"`
	}
	if err := access.Claims(&claims); err != nil {
		return failf("claims", "%v", err)
	}
	if access.Subject != t.sub || claims.ClientID != c.ClientID || typeOf(t.accessToken) != "at+jwt" {
		return failf("access token", "typ is %q, sub %q, client_id %q; expected at+jwt, %q, %q",
			typeOf(t.accessToken), access.Subject, claims.ClientID, t.sub, c.ClientID)
	}
	return nil
}

// typeOf is the typ of a JWT that has been verified.
func typeOf(raw string) (typ string) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA})
	if err == nil {
		typ, _ = token.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	}
	return typ
}

// follows checks that user and sign-in (Core §2, auth_time) are those of old, which is empty at first, and the access
// token is another.
func (c *Client) follows(t, old tokens) error {
	switch {
	case c.options.Constant:
		return nil
	case t.authTime == 0 && c.options.AuthTime:
		return failf("auth_time", "is missing")
	case old.idToken == "":
		return nil
	case t.sub != old.sub:
		return failf("sub", "is %q, was %q", t.sub, old.sub)
	case t.authTime != old.authTime:
		return failf("auth_time", "is %d, was %d", t.authTime, old.authTime)
	case t.accessToken == old.accessToken:
		return failf("same access token", "a renewal returned the access token that it should replace")
	}
	return nil
}

// failure is a wrong answer.
type failure struct{ kind, detail string }

func (f *failure) Error() string { return f.kind + ": " + f.detail }

func failf(kind, format string, a ...any) error {
	return &failure{kind: kind, detail: fmt.Sprintf(format, a...)}
}

// Kind is a short name for the kind of a wrong answer. A report counts the failures of one kind together.
func Kind(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.kind
	}
	return "other"
}
