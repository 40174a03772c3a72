package access

import (
	"context"
	"errors"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Token holds the claims of an access token (RFC 9068 §2.2).
type Token struct {
	Issuer   string        `json:"iss"`
	Subject  string        `json:"sub"`
	Audience oidc.Audience `json:"aud"` // the APIs
	Expiry   int64         `json:"exp"` // seconds since 1970, like all times here
	IssuedAt int64         `json:"iat"`
	JTI      string        `json:"jti"`
	ClientID string        `json:"client_id"`
	Scope    string        `json:"scope,omitempty"`
	AuthTime int64         `json:"auth_time,omitempty"` // of a person; a client that asks for itself has none, nor the next three
	ACR      string        `json:"acr,omitempty"`
	AMR      []string      `json:"amr,omitempty"`
	SID      string        `json:"sid,omitempty"`
	// GrantID is this provider's own: by it a token is refused after its grant was revoked.
	GrantID string `json:"grant_id"`
	// Kept, this provider's own, says that sub is the client's name for the user, and what the provider calls them is in its store.
	Kept bool `json:"kept,omitempty"`
	// Confirmation names the key that the token is bound to. nil: whoever bears it may use it.
	Confirmation *Confirmation `json:"cnf,omitempty"`
	// Claims are those that the claims parameter asked for at userinfo (Core §5.5). This provider's own.
	Claims map[string]*oidc.ClaimRequest `json:"userinfo_claims,omitempty"`
}

// Confirmation is the cnf claim of a DPoP-bound token: the thumbprint of its key (RFC 9449 §6.1).
type Confirmation struct {
	JKT string `json:"jkt"`
}

// Tokens makes and reads access tokens of one issuer.
type Tokens struct {
	Issuer string
	Sign   Sign
	Verify func(token, typ string, claims any) error // keys.Ring's
	Grants Grants
	Kept   storage.Bucket[Token] // what opaque tokens say, by the token; and what JWTs with a pairwise sub do, by the jti
	// Subject is what the client calls the user whom the provider calls sub (Core §8). nil: the same.
	Subject func(ctx context.Context, client oidc.Client, sub string) (string, error)
	Now     func() time.Time
	Random  func() string // 128 bits or more, without a dot
}

type (
	// Sign makes a JWT of claims, as keys.Ring does.
	Sign func(ctx context.Context, alg, typ string, claims any) (string, error)
	// Grants is a *grant.Grants.
	Grants interface {
		IsTokenRevoked(ctx context.Context, grantID, jti string) (bool, error)
		RevokeToken(ctx context.Context, grantID, jti string, until time.Time) error
	}
)

// SubjectOf is what the client calls the user whom the provider calls sub.
func (t *Tokens) SubjectOf(ctx context.Context, client oidc.Client, sub string) (string, error) {
	if t.Subject == nil {
		return sub, nil
	}
	return t.Subject(ctx, client, sub)
}

// Make writes the token for the client, by its access_token_format. token.Subject is what the provider calls the user.
func (t *Tokens) Make(ctx context.Context, client oidc.Client, token Token) (string, error) {
	if client.AccessTokenFormat == oidc.FormatOpaque {
		return t.opaque(ctx, token)
	}
	theirs, err := t.For(ctx, client, token)
	if err != nil {
		return "", err
	}
	if theirs.Kept = theirs.Subject != token.Subject; theirs.Kept {
		if err := t.keep(ctx, forJWT+token.JTI, token); err != nil {
			return "", err
		}
	}
	return t.Sign(ctx, client.DefaultAlg(), keys.TypeAccessToken, theirs)
}

// For is the token as the client knows it, by its own name for the user.
func (t *Tokens) For(ctx context.Context, client oidc.Client, token Token) (Token, error) {
	if token.AuthTime == 0 { // nobody signed in: the client asked for itself
		return token, nil
	}
	var err error
	token.Subject, err = t.SubjectOf(ctx, client, token.Subject)
	return token, err
}

// Read reads an access token that is good at this moment, else it returns an invalid_token error. Its Subject is what the provider
// calls the user. Whether whoever brings it holds the key of its Confirmation is for the caller to see.
func (t *Tokens) Read(ctx context.Context, raw string) (Token, error) {
	token, err := t.open(ctx, raw)
	if err != nil {
		return token, err
	}
	now := t.Now().Unix()
	switch {
	case token.Issuer != t.Issuer:
		return token, oidc.InvalidToken.Errorf("the access token's iss is %s, expected %s", token.Issuer, t.Issuer)
	case now >= token.Expiry:
		return token, oidc.InvalidToken.Errorf("the access token expired %d seconds ago: renew it", now-token.Expiry)
	}
	revoked, err := t.Grants.IsTokenRevoked(ctx, token.GrantID, token.JTI)
	switch {
	case err != nil:
		return token, err
	case revoked:
		return token, oidc.InvalidToken.Errorf(
			"the access token is revoked: the client gave it back, the user took it back, or its code or refresh token was used twice")
	}
	return t.named(ctx, token)
}

// open takes a token apart, by its form.
func (t *Tokens) open(ctx context.Context, raw string) (Token, error) {
	if isOpaque(raw) {
		return t.lookUp(ctx, raw)
	}
	var token Token
	if err := t.Verify(raw, keys.TypeAccessToken, &token); err != nil {
		return token, oidc.InvalidToken.Errorf("the access token is not one of this provider: %v", err)
	}
	return token, nil
}

// named is the token with what the provider calls the user.
func (t *Tokens) named(ctx context.Context, token Token) (Token, error) {
	if !token.Kept {
		return token, nil
	}
	kept, err := t.Kept.Get(ctx, storage.Together(token.GrantID, forJWT+token.JTI))
	if errors.Is(err, storage.ErrNotFound) {
		return token, oidc.InvalidToken.Errorf("the provider does not remember whom the access token is about: renew it")
	}
	return kept, err
}

// Revoke makes the provider refuse the token, one that Read has read.
func (t *Tokens) Revoke(ctx context.Context, token Token) error {
	return t.Grants.RevokeToken(ctx, token.GrantID, token.JTI, time.Unix(token.Expiry, 0))
}
