package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"time"

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
	SID             string   `json:"sid"`
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
}

// AccessToken holds the claims of a JWT access token (RFC 9068 §2.2).
type AccessToken struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"` // the API
	Expiry   int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	JTI      string   `json:"jti"`
	ClientID string   `json:"client_id"`
	Scope    string   `json:"scope"`
	AuthTime int64    `json:"auth_time"`
	ACR      string   `json:"acr"`
	AMR      []string `json:"amr"`
	SID      string   `json:"sid"`
	// GrantID is this provider's own: by it a token is refused after its grant was revoked.
	GrantID string `json:"grant_id"`
}

// respond makes the tokens of a grant.
func (e *Endpoint) respond(ctx context.Context, client oidc.Client, g grant.Grant) (Response, error) {
	now, lifetime := e.Now(), accessTokenLifetime(client)
	access, err := e.Sign(ctx, "", keys.TypeAccessToken, e.accessToken(client, g, now))
	if err != nil {
		return Response{}, err
	}
	id, err := e.Sign(ctx, client.IDTokenSignedResponseAlg, keys.TypeIDToken, e.idToken(client, g, now, access))
	return Response{
		AccessToken: access,
		TokenType:   "Bearer",
		ExpiresIn:   int(lifetime / time.Second),
		IDToken:     id,
		Scope:       g.Scope.String(),
	}, err
}

func (e *Endpoint) accessToken(client oidc.Client, g grant.Grant, now time.Time) AccessToken {
	return AccessToken{
		Issuer:   e.Issuer,
		Subject:  g.Sub,
		Audience: cmp.Or(client.Audience, e.Audience),
		Expiry:   now.Add(accessTokenLifetime(client)).Unix(),
		IssuedAt: now.Unix(),
		JTI:      e.Random(),
		ClientID: client.ClientID,
		Scope:    g.Scope.String(),
		AuthTime: g.AuthTime.Unix(),
		ACR:      g.ACR,
		AMR:      g.AMR,
		SID:      g.SID,
		GrantID:  g.ID,
	}
}

func (e *Endpoint) idToken(client oidc.Client, g grant.Grant, now time.Time, accessToken string) IDToken {
	return IDToken{
		Issuer:          e.Issuer,
		Subject:         g.Sub,
		Audience:        client.ClientID,
		Expiry:          now.Add(cmp.Or(client.IDTokenLifetime, oidc.DefaultTokenLifetime)).Unix(),
		IssuedAt:        now.Unix(),
		AuthTime:        g.AuthTime.Unix(),
		Nonce:           g.Nonce,
		AccessTokenHash: atHash(client.IDTokenSignedResponseAlg, accessToken),
		SID:             g.SID,
		ACR:             g.ACR,
		AMR:             g.AMR,
	}
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
