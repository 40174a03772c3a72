// Package access makes access tokens, reads them, and answers clients that revoke them or ask about them.
//
//	Make ──► a JWT that an API checks by itself (RFC 9068)    ──┐
//	     └─► an opaque token, whose record is in the store    ──┴─► Read ──► Token, or an invalid_token error
//
//	POST /revoke      ──► a refresh token: the whole grant ends;  an access token: this token ends
//	POST /introspect  ──► what the token allows, or {"active": false}
//
// The access_token_format of the client decides between the two forms. Both can be revoked one by one (Revoke), and
// with the whole grant (grant.Grants). Claims that the configuration adds are in a JWT as they were when it was made;
// introspection says what they are now.
//
// Three kinds of clients may introspect an access token: the client that it was issued to, a client that the token is
// for (its client_id or registered audience is in aud), and first-party clients. Only the client that a refresh token
// was issued to may introspect it.
//
// Where teaching ends: an API that checks the JWT by itself does not learn that the token or its grant was revoked, and
// must ask /introspect for that. An API that introspects every request should cache the answers for some seconds.
package access

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// The record of an access token is stored as MessagePack, by methods that go generate writes.
//
//go:generate go tool msgp -io=false -tests=false
//msgp:tag json
//msgp:ignore Tokens Extended Hints Hint

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
	AuthTime int64         `json:"auth_time,omitempty"` // 0 for a token without a user; then the next three are empty
	ACR      string        `json:"acr,omitempty"`
	AMR      []string      `json:"amr,omitempty"`
	SID      string        `json:"sid,omitempty"`
	// GrantID is a private claim: the token is refused after its grant was revoked.
	GrantID string `json:"grant_id"`
	// GrantedAt is a private claim, in milliseconds since 1970: the token is refused if the user took the grant back
	// later.
	GrantedAt int64 `json:"granted_at,omitempty"`
	// HasRecord is a private claim: sub is pairwise, and the store has the provider's own sub of the user.
	HasRecord bool `json:"kept,omitempty"`
	// Confirmation names the key that the token is bound to. nil: it is a bearer token.
	Confirmation *Confirmation `json:"cnf,omitempty"`
	// Claims is a private claim: the claims that the parameter claims requested from userinfo (Core §5.5).
	Claims map[string]*oidc.ClaimRequest `json:"userinfo_claims,omitempty"`
}

// Confirmation is the cnf claim of a DPoP-bound token: the thumbprint of its key (RFC 9449 §6.1).
type Confirmation struct {
	JKT string `json:"jkt"`
}

// Tokens makes and reads access tokens of one issuer.
type Tokens struct {
	Issuer string
	Signer keys.Signer
	Keys   *keys.KeySet // verifies the signatures of Signer
	Grants *grant.Grants
	// Records contains the claims of opaque tokens by token, and the claims of JWTs with a pairwise sub by jti.
	Records  storage.Bucket[Token]
	Subjects *clients.Subjects
	Users    *users.Directory
	Release  claims.Release
	Now      func() time.Time
	Random   func() string // 128 bits or more, without a dot
}

// Extended is an access token that also has claims about its user or client.
type Extended struct {
	Token
	More map[string]any
}

// MarshalJSON implements json.Marshaler. No claim of More replaces one of Token.
func (e Extended) MarshalJSON() ([]byte, error) {
	all, err := claims.Merge(e.Token, e.More)
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// From returns the access token whose claims these are; false: they are the claims of another kind of token.
func From(claims any) (Token, bool) {
	if extended, ok := claims.(Extended); ok {
		return extended.Token, true
	}
	token, ok := claims.(Token)
	return token, ok
}

// Prefixes of the keys in Records. They differ because the jti of an opaque token is no secret.
const (
	prefixOpaque = "opaque "
	prefixJWT    = "jwt "
)

// Make writes the token for the client, by its access_token_format and access_token_type. token.Subject is the
// provider's own sub of the user.
func (t *Tokens) Make(ctx context.Context, client *oidc.Client, token Token) (string, error) {
	if client.AccessTokenFormat == oidc.FormatOpaque {
		return t.makeOpaque(ctx, token)
	}
	public, err := t.ForClient(client, token)
	if err != nil {
		return "", err
	}
	if public.HasRecord = public.Subject != token.Subject; public.HasRecord {
		if err := t.store(ctx, prefixJWT+token.JTI, token); err != nil {
			return "", err
		}
	}
	var content any = public
	if len(client.AccessTokenClaims)+len(client.ClaimsMapping)+len(client.Claims)+len(t.Release.InAccessToken) > 0 {
		content = Extended{public, t.More(client, token)}
	}
	return t.Signer.Sign(ctx, client.DefaultAlg(), cmp.Or(client.AccessTokenType, keys.TypeAccessToken), content)
}

// More returns the claims of the token's user or client beside those of Token. token.Subject is the provider's own sub.
func (t *Tokens) More(client *oidc.Client, token Token) map[string]any {
	if token.AuthTime == 0 {
		return claims.OfClient(client)
	}
	user, _ := t.Users.BySub(token.Subject)
	return t.Release.AccessToken(client, user.Claims, oidc.ParseScope(token.Scope))
}

// makeOpaque writes a token without claims: the id of its grant, a dot, and a secret. The claims are in the store. RFC
// 6749 §1.4: "The token may denote an identifier used to retrieve the authorization information".
func (t *Tokens) makeOpaque(ctx context.Context, token Token) (string, error) {
	secret := t.Random()
	if err := t.store(ctx, prefixOpaque+secret, token); err != nil {
		return "", err
	}
	raw := token.GrantID + "." + secret
	if recorder := trace.From(ctx); recorder != nil {
		recorder.Join(trace.JTI, token.JTI)
		recorder.Emit(trace.Step{
			Kind: trace.KindToken, Spec: "RFC 6749 §1.4", Outcome: trace.OK,
			Text:   "the access token is opaque: its claims are in the store",
			Values: []trace.Value{trace.Secret("access_token", raw)},
		})
	}
	return raw, nil
}

// store puts the token beside the other records of its grant until it expires.
func (t *Tokens) store(ctx context.Context, key string, token Token) error {
	lifetime := time.Unix(token.Expiry, 0).Sub(t.Now()) + time.Minute
	return t.Records.Put(ctx, storage.GroupKey(token.GrantID, key), token, lifetime)
}

// ForClient returns the token with the user's sub for the client. A token without a user is returned unchanged.
func (t *Tokens) ForClient(client *oidc.Client, token Token) (Token, error) {
	if token.AuthTime == 0 {
		return token, nil
	}
	var err error
	token.Subject, err = t.Subjects.Of(client, token.Subject)
	return token, err
}

// Read returns the claims of an access token that is valid now, else an invalid_token error. Its Subject is the
// provider's own sub of the user. The caller checks that the request proves the key of Confirmation.
func (t *Tokens) Read(ctx context.Context, raw string) (Token, error) {
	token, err := t.parse(ctx, raw)
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
		return token, oidc.InvalidToken.Errorf("the access token is revoked: " +
			"by the client, by the user, or because its code or refresh token was used twice")
	case token.HasRecord:
		stored, err := t.Records.Get(ctx, storage.GroupKey(token.GrantID, prefixJWT+token.JTI))
		if errors.Is(err, storage.ErrNotFound) {
			return token, oidc.InvalidToken.Errorf("the provider no longer knows the user of the access token: renew it")
		}
		if err != nil {
			return token, err
		}
		token = stored
	}
	if token.AuthTime == 0 {
		return token, nil
	}
	return token, t.checkUser(ctx, token)
}

// checkUser refuses the token of a removed user, and a token of a grant that the user took back.
func (t *Tokens) checkUser(ctx context.Context, token Token) error {
	if !(*t.Users.Known.Load())[token.Subject] {
		return oidc.InvalidToken.Errorf("the user of the access token no longer exists")
	}
	isTakenBack, err := t.Grants.IsTakenBack(ctx, token.Subject, token.ClientID, time.UnixMilli(token.GrantedAt))
	if isTakenBack {
		return oidc.InvalidToken.Errorf("the access token is revoked: the user no longer allows the application to use it")
	}
	return err
}

// parse reads the claims of a token of either form: a JWT has two dots (RFC 7515 §7.1), an opaque token has one.
func (t *Tokens) parse(ctx context.Context, raw string) (token Token, err error) {
	if strings.Count(raw, ".") != 1 {
		switch err := t.Keys.VerifyAny(ctx, raw, []string{keys.TypeAccessToken, oidc.TypeJWT}, &token); {
		case errors.Is(err, storage.ErrUnavailable):
			return token, err
		case err != nil:
			return token, oidc.InvalidToken.Errorf("the access token is not one of this provider: %v", err)
		case token.GrantID == "": // the same typ as that of an ID token, or of another answer as a JWT
			return Token{}, oidc.InvalidToken.Errorf("the access token is not one of this provider: its typ is %q, expected "+
				"%q; send the access_token of the token response", oidc.TypeJWT, keys.TypeAccessToken)
		}
		return token, nil
	}
	grantID, secret, _ := strings.Cut(raw, ".")
	token, err = t.Records.Get(ctx, storage.GroupKey(grantID, prefixOpaque+secret))
	if errors.Is(err, storage.ErrNotFound) {
		return Token{}, oidc.InvalidToken.Errorf(
			"the access token is not known: it is not one of this provider, or it expired")
	}
	return token, err
}

// Revoke makes the provider refuse a token that Read returned.
func (t *Tokens) Revoke(ctx context.Context, token Token) error {
	return t.Grants.RevokeToken(ctx, token.GrantID, token.JTI, time.Unix(token.Expiry, 0))
}

// Hints reads the ID tokens that come back as id_token_hint.
type Hints struct {
	Issuer   string
	Keys     *keys.KeySet
	Clients  *clients.Register
	Subjects *clients.Subjects
}

// Hint is the content of a valid id_token_hint.
type Hint struct {
	Subject  string // the user's sub at this provider; empty: no user of this provider
	SID      string
	Audience string // the client that the ID token was issued to
}

// Read reads an ID token that this provider signed, also if it has expired, since it only names the user of a request
// (Core §3.1.2.1 and §3.1.2.2). It returns an error for anything else.
func (h *Hints) Read(ctx context.Context, idToken string) (Hint, error) {
	if strings.Count(idToken, ".") == 4 {
		// Core §3.1.2.1: "the Client MUST decrypt the signed ID Token contained within the encrypted ID Token"
		return Hint{}, errors.New("it is encrypted: send the signed ID token that is in it")
	}
	var claims struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience string `json:"aud"`
		Expiry   int64  `json:"exp"`
		SID      string `json:"sid"`
		GrantID  string `json:"grant_id"`
	}
	if err := h.Keys.Verify(ctx, idToken, keys.TypeIDToken, &claims); err != nil {
		return Hint{}, err
	}
	if claims.GrantID != "" { // its typ may be that of an ID token (access_token_type)
		return Hint{}, errors.New("it is an access token: send an ID token")
	}
	if claims.Subject == "" || claims.Expiry == 0 { // a signed JARM or userinfo answer is no ID token
		return Hint{}, errors.New("it has no sub or no exp, so it is no ID token")
	}
	if claims.Issuer != h.Issuer {
		return Hint{}, fmt.Errorf("its iss is %s, expected %s", claims.Issuer, h.Issuer)
	}
	hint := Hint{Subject: claims.Subject, SID: claims.SID, Audience: claims.Audience}
	client, err := h.Clients.ByID(ctx, claims.Audience)
	if errors.Is(err, clients.ErrUnknown) {
		return hint, nil // the client was deleted: only a public sub finds its user
	}
	if err == nil {
		hint.Subject, err = h.Subjects.Reveal(client, claims.Subject)
	}
	return hint, err
}
