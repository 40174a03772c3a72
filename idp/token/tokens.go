package token

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// IDToken has the claims of an ID token (Core §2, §3.1.3.6).
type IDToken struct {
	Issuer          string   `json:"iss"`
	Subject         string   `json:"sub"`
	Audience        string   `json:"aud"` // the client_id
	Expiry          int64    `json:"exp"` // seconds since 1970, like all times here
	IssuedAt        int64    `json:"iat"`
	AuthTime        int64    `json:"auth_time"`
	Nonce           string   `json:"nonce,omitempty"` // as the client sent it
	AccessTokenHash string   `json:"at_hash"`
	SID             string   `json:"sid,omitempty"` // of the browser's session; a device has none
	ACR             string   `json:"acr"`
	AMR             []string `json:"amr"`
}

// Issuer makes the tokens of a grant.
type Issuer struct {
	Issuer   string
	Audience string // the API that access tokens are for, unless the client says otherwise
	Access   *access.Tokens
	Signer   keys.Signer
	Keys     *clients.Keys // for encrypted ID tokens
	Users    *users.Directory
	Release  claims.Release
	Now      func() time.Time
	Random   func() string // jti: 128 bits or more
}

// tokens makes the access token, and with scope openid the ID token.
func (i *Issuer) tokens(ctx context.Context, r request, g grant.Grant) (Response, error) {
	audience, err := i.permit(ctx, r, g)
	if err != nil {
		return Response{}, err
	}
	lifetime := accessTokenLifetime(r.Client)
	response := Response{TokenType: oidc.TokenTypeBearer, ExpiresIn: int(lifetime / time.Second), Scope: g.Scope.String()}
	if r.JKT != "" {
		response.TokenType = oidc.TokenTypeDPoP // RFC 9449 §5
	}
	now := i.Now()
	if response.AccessToken, err = i.Access.Make(ctx, r.Client, i.accessToken(r, g, audience, now)); err != nil {
		return Response{}, err
	}
	if g.Scope.Has(oidc.ScopeOpenID) {
		response.IDToken, err = i.idToken(ctx, r.Client, g, now, response.AccessToken)
	}
	return response, err
}

// holder is the user that tokens are about, and the issuer that makes them.
type holder struct {
	Grant  grant.Grant
	Users  *users.Directory
	Issuer string
}

// holderRules are the conditions for tokens of every grant type. A grant without auth_time is about no user.
var holderRules = oidc.Table[holder]{{
	Spec: "RFC 9700 §4.14.2", Text: "the user is still known to the provider", Else: oidc.InvalidGrant,
	Reason: oidc.UserRemoved,
	Holds:  func(h holder) bool { return h.Grant.AuthTime.IsZero() || (*h.Users.Known.Load())[h.Grant.Sub] },
	Help:   "the user was removed: sign in as another user",
}, { // one process may have several issuers
	Spec: "RFC 9700 §4.4", Text: "what the client redeems was granted by this issuer", Else: oidc.InvalidGrant,
	Reason: oidc.CodeForeign,
	Holds:  func(h holder) bool { return h.Grant.Issuer == "" || h.Grant.Issuer == h.Issuer },
	Got:    func(h holder) string { return h.Grant.Issuer + ", and this is " + h.Issuer },
	Help:   "send it to the token_endpoint of the issuer of the authorization response",
}}

// permit judges whether the grant may give tokens now. It returns the APIs of the access token: the granted APIs in
// resource, or all granted APIs (RFC 8707 §2.2).
func (i *Issuer) permit(ctx context.Context, r request, g grant.Grant) (oidc.Audience, error) {
	if err := holderRules.Judge(ctx, holder{g, i.Users, i.Issuer}); err != nil {
		return nil, err
	}
	granted := g.Resource
	if len(granted) == 0 {
		granted = []string{cmp.Or(r.Client.Audience, i.Audience)}
	}
	if len(r.Resource) == 0 {
		return granted, nil
	}
	return oidc.ParseResources(r.Resource, granted)
}

func (i *Issuer) accessToken(r request, g grant.Grant, audience oidc.Audience, now time.Time) access.Token {
	token := access.Token{
		Issuer: i.Issuer, Subject: g.Sub, Audience: audience, Expiry: now.Add(accessTokenLifetime(r.Client)).Unix(),
		IssuedAt: now.Unix(), JTI: i.Random(), ClientID: r.Client.ClientID, Scope: g.Scope.String(),
		ACR: g.ACR, AMR: g.AMR, SID: g.SID, GrantID: g.ID,
	}
	if !g.AuthTime.IsZero() {
		token.AuthTime, token.GrantedAt = g.AuthTime.Unix(), g.GrantedAt.UnixMilli()
	}
	if r.JKT != "" {
		token.Confirmation = &access.Confirmation{JKT: r.JKT}
	}
	if g.Claims != nil {
		token.Claims = g.Claims.Userinfo
	}
	return token
}

// idToken signs the ID token, and then encrypts it if the client registered encryption (Core §10.2).
func (i *Issuer) idToken(
	ctx context.Context, client *oidc.Client, g grant.Grant, now time.Time, accessToken string,
) (string, error) {
	subject, err := i.Access.Subjects.Of(client, g.Sub)
	if err != nil {
		return "", err
	}
	token := IDToken{
		Issuer: i.Issuer, Subject: subject, Audience: client.ClientID,
		Expiry:   now.Add(cmp.Or(client.IDTokenLifetime, oidc.DefaultTokenLifetime)).Unix(),
		IssuedAt: now.Unix(), AuthTime: g.AuthTime.Unix(), Nonce: g.Nonce,
		AccessTokenHash: AtHash(client.IDTokenSignedResponseAlg, accessToken),
		SID:             g.SID, ACR: g.ACR, AMR: g.AMR,
	}
	var content any = token
	var requested map[string]*oidc.ClaimRequest
	if g.Claims != nil {
		requested = g.Claims.IDToken // the claims parameter (Core §5.5)
	}
	if len(requested)+len(client.IDTokenClaims)+len(client.ClaimsMapping)+len(i.Release.InIDToken) > 0 {
		user, _ := i.Users.BySub(g.Sub)
		content, err = claims.Merge(token, i.Release.IDToken(client, user.Claims, g.Scope, requested))
		if err != nil {
			return "", err
		}
	}
	signed, err := i.Signer.Sign(ctx, client.IDTokenSignedResponseAlg, keys.TypeIDToken, content)
	if err != nil || client.IDTokenEncryptedResponseAlg == "" {
		return signed, err
	}
	return i.Keys.EncryptIDToken(ctx, client, signed)
}

func accessTokenLifetime(client *oidc.Client) time.Duration {
	return cmp.Or(client.AccessTokenLifetime, oidc.DefaultTokenLifetime)
}

// AtHash returns the left half of a hash of the access token (Core §3.1.3.6): SHA-512 for EdDSA, else SHA-256.
func AtHash(alg, accessToken string) string {
	var place [2048]byte // on the stack: usual tokens fit
	text := append(place[:0], accessToken...)
	if alg == "EdDSA" {
		sum := sha512.Sum512(text)
		return base64.RawURLEncoding.EncodeToString(sum[:sha512.Size/2])
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:sha256.Size/2])
}
