package introspect

import (
	"cmp"
	"mime"
	"net/http"
	"strings"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// Claims are what is said of a token (RFC 7662 §2.2, for acr and auth_time RFC 9470 §6.2).
type Claims struct {
	Active       bool                 `json:"active"`
	Scope        string               `json:"scope,omitempty"`
	ClientID     string               `json:"client_id,omitempty"`
	TokenType    string               `json:"token_type,omitempty"`
	Expiry       int64                `json:"exp,omitempty"`
	IssuedAt     int64                `json:"iat,omitempty"`
	Subject      string               `json:"sub,omitempty"`
	Audience     oidc.Audience        `json:"aud,omitempty"`
	Issuer       string               `json:"iss,omitempty"`
	JTI          string               `json:"jti,omitempty"`
	Confirmation *access.Confirmation `json:"cnf,omitempty"` // RFC 9449 §6.2
	AuthTime     int64                `json:"auth_time,omitempty"`
	ACR          string               `json:"acr,omitempty"`
}

func ofAccessToken(token access.Token) Claims {
	claims := Claims{
		Active: true, Scope: token.Scope, ClientID: token.ClientID, TokenType: oidc.TokenTypeBearer, Expiry: token.Expiry, IssuedAt: token.IssuedAt,
		Subject: token.Subject, Audience: token.Audience, Issuer: token.Issuer, JTI: token.JTI, Confirmation: token.Confirmation,
		AuthTime: token.AuthTime, ACR: token.ACR,
	}
	if token.Confirmation != nil {
		claims.TokenType = oidc.TokenTypeDPoP
	}
	return claims
}

// ofRefreshToken has no token_type: those of RFC 6749 §7.1 are of access tokens.
func ofRefreshToken(family grant.Family, sub, issuer string) Claims {
	claims := Claims{
		Active: true, Scope: family.Grant.Scope.String(), ClientID: family.Grant.ClientID, Expiry: family.IdleUntil.Unix(), IssuedAt: family.UsedAt.Unix(),
		Subject: sub, Issuer: issuer, AuthTime: family.Grant.AuthTime.Unix(), ACR: family.Grant.ACR,
	}
	if family.JKT != "" {
		claims.Confirmation = &access.Confirmation{JKT: family.JKT}
	}
	return claims
}

// mediaJWT is the media type of an answer that is a JWT (RFC 9701 §5).
const mediaJWT = "application/" + keys.TypeIntrospection

// Answer is a successful answer: Claims, unless JWT holds them signed.
type Answer struct {
	Claims Claims
	JWT    string
}

// MediaType is the Content-Type of the JWT.
func (Answer) MediaType() string { return mediaJWT }

// signed is what a JWT says. RFC 9701 §5: iss, aud, iat and token_introspection are required, and "sub" and "exp" MUST NOT stand beside
// them, "to prevent misuse of the introspection response as an access token".
type signed struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"` // the client that asked
	IssuedAt int64  `json:"iat"`
	Claims   Claims `json:"token_introspection"`
}

// answer is the JWT if the client asks for one by Accept (RFC 9701 §4), or registered an alg for it (§6).
func (e *Endpoint) answer(r *http.Request, client oidc.Client, claims Claims) (Answer, error) {
	if client.IntrospectionSignedResponseAlg == "" && !accepts(r, mediaJWT) {
		return Answer{Claims: claims}, nil
	}
	token := signed{Issuer: e.Issuer, Audience: client.ClientID, IssuedAt: e.Now().Unix(), Claims: claims}
	jwt, err := e.Sign(r.Context(), cmp.Or(client.IntrospectionSignedResponseAlg, client.DefaultAlg(), e.Alg), keys.TypeIntrospection, token)
	return Answer{Claims: claims, JWT: jwt}, err
}

// accepts tells whether the Accept header names the media type (RFC 9110 §12.5.1).
func accepts(r *http.Request, want string) bool {
	for part := range strings.SplitSeq(strings.Join(r.Header.Values("Accept"), ","), ",") {
		if media, params, err := mime.ParseMediaType(part); err == nil && media == want && params["q"] != "0" {
			return true
		}
	}
	return false
}
