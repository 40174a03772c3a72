package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// IDToken holds the claims of an ID token (Core §2, §3.1.3.6). Claims about the user's profile come from userinfo.
type IDToken struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"` // the client_id
	Expiry          int64    `json:"exp"` // seconds since 1970, like all times here
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"` // as the client sent it
	AccessTokenHash string   `json:"at_hash"`
	SID             string   `json:"sid,omitempty"` // of a device there is none: it is no browser that somebody signed in with
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
	// Extra are more claims about the user. Read does not fill it.
	Extra map[string]any `json:"-"`
}

// MarshalJSON writes the claims, and Extra among them: what the provider itself says of the token is never overwritten.
func (t IDToken) MarshalJSON() ([]byte, error) {
	type plain IDToken
	own, err := json.Marshal(plain(t))
	if err != nil || len(t.Extra) == 0 {
		return own, err
	}
	all := maps.Clone(t.Extra)
	return marshalOver(all, own)
}

// marshalOver writes the members of all, and those of own in their place.
func marshalOver(all map[string]any, own []byte) ([]byte, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(own, &members); err != nil {
		return nil, err
	}
	for name, value := range members {
		all[name] = value
	}
	return json.Marshal(all)
}

// respond makes the tokens of a grant, and begins its refresh tokens if it has them.
func (e *Endpoint) respond(ctx context.Context, r request, g grant.Grant) (Response, error) {
	response, err := e.tokens(ctx, r, g)
	if err != nil || !givesRefreshTokens(r.Client, g) {
		return response, err
	}
	response.RefreshToken, err = e.Grants.Begin(ctx, g, boundTo(r), e.terms(r.Client))
	if errors.Is(err, grant.ErrRevoked) { // by who redeemed the code at the same moment
		return Response{}, oidc.InvalidGrant.Errorf("what was granted was revoked: start again").Blame(oidc.CodeReplayed)
	}
	return response, err
}

// tokens makes the access token, and with scope openid the ID token.
func (e *Endpoint) tokens(ctx context.Context, r request, g grant.Grant) (Response, error) {
	now := e.Now()
	audience, err := e.audience(r, g)
	if err != nil {
		return Response{}, err
	}
	response := Response{TokenType: oidc.TokenTypeBearer, ExpiresIn: int(accessTokenLifetime(r.Client) / time.Second), Scope: g.Scope.String()}
	if r.JKT != "" {
		response.TokenType = oidc.TokenTypeDPoP // RFC 9449 §5
	}
	if response.AccessToken, err = e.Tokens.Make(ctx, r.Client, e.accessToken(r, g, audience, now)); err != nil {
		return Response{}, err
	}
	if g.Scope.Has(oidc.ScopeOpenID) {
		response.IDToken, err = e.makeIDToken(ctx, r.Client, g, now, response.AccessToken)
	}
	return response, err
}

func (e *Endpoint) accessToken(r request, g grant.Grant, audience oidc.Audience, now time.Time) access.Token {
	token := access.Token{
		Issuer:   e.Issuer,
		Subject:  g.Sub,
		Audience: audience,
		Expiry:   now.Add(accessTokenLifetime(r.Client)).Unix(),
		IssuedAt: now.Unix(),
		JTI:      e.Random(),
		ClientID: r.Client.ClientID,
		Scope:    g.Scope.String(),
		ACR:      g.ACR,
		AMR:      g.AMR,
		SID:      g.SID,
		GrantID:  g.ID,
	}
	if !g.AuthTime.IsZero() {
		token.AuthTime = g.AuthTime.Unix()
	}
	if r.JKT != "" {
		token.Confirmation = &access.Confirmation{JKT: r.JKT}
	}
	if g.Claims != nil {
		token.Claims = g.Claims.Userinfo
	}
	return token
}

// makeIDToken signs the ID token and, where the client registered that, encrypts it (Core §10.2: "the Claims MUST be signed and
// then encrypted").
func (e *Endpoint) makeIDToken(ctx context.Context, client oidc.Client, g grant.Grant, now time.Time, accessToken string) (string, error) {
	claims, err := e.idToken(ctx, client, g, now, accessToken)
	if err != nil {
		return "", err
	}
	signed, err := e.Sign(ctx, client.IDTokenSignedResponseAlg, keys.TypeIDToken, claims)
	if err != nil || e.Encrypt == nil {
		return signed, err
	}
	return e.Encrypt(ctx, client, signed)
}

func (e *Endpoint) idToken(ctx context.Context, client oidc.Client, g grant.Grant, now time.Time, accessToken string) (IDToken, error) {
	subject, err := e.Tokens.SubjectOf(ctx, client, g.Sub)
	return IDToken{
		Issuer:          e.Issuer,
		Subject:         subject,
		Audience:        client.ClientID,
		Expiry:          now.Add(cmp.Or(client.IDTokenLifetime, oidc.DefaultTokenLifetime)).Unix(),
		IssuedAt:        now.Unix(),
		AuthTime:        g.AuthTime.Unix(),
		Nonce:           g.Nonce,
		AccessTokenHash: atHash(client.IDTokenSignedResponseAlg, accessToken),
		SID:             g.SID,
		ACR:             g.ACR,
		AMR:             g.AMR,
		Extra:           e.extra(g),
	}, err
}

// extra are the claims about the user that belong into the ID token: those that the claims parameter asked for there (Core §5.5).
func (e *Endpoint) extra(g grant.Grant) map[string]any {
	if e.Claims == nil {
		return nil
	}
	var requested map[string]*oidc.ClaimRequest
	if g.Claims != nil {
		requested = g.Claims.IDToken
	}
	return e.Claims(g.Sub, g.Scope, requested)
}

func accessTokenLifetime(client oidc.Client) time.Duration {
	return cmp.Or(client.AccessTokenLifetime, oidc.DefaultTokenLifetime)
}

// atHash is the left half of the hash of the access token, by the hash that belongs to the alg of the ID token: SHA-256 for
// the algs that end in 256, and SHA-512, which Ed25519 uses inside, for EdDSA (Core §3.1.3.6).
func atHash(alg, accessToken string) string {
	if alg == "EdDSA" {
		sum := sha512.Sum512([]byte(accessToken))
		return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
	}
	sum := sha256.Sum256([]byte(accessToken))
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}
