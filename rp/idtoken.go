package rp

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	skew  = time.Minute      // how far the provider's clock may be ahead
	stale = 10 * time.Minute // the greatest age of the iat of a token that was just received
)

// asymmetric are the accepted signature algorithms. HMAC is left out because a key that verifies could sign as well;
// RFC 9068 §2.1: access tokens "MUST NOT use "none"".
var asymmetric = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// contentEncryptions are the accepted content encryption algorithms (RFC 7518 §5.1).
var contentEncryptions = []jose.ContentEncryption{
	jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM,
}

// idToken is the subject of the rules about an ID Token.
type idToken struct {
	*gooidc.IDToken
	idTokenClaims
	accessToken string
	flow        *flow    // of a sign-in or a silent renewal
	before      *Session // of a refresh
	config      Config
	now         time.Time
}

// idTokenClaims are the claims that go-oidc does not read.
type idTokenClaims struct {
	Azp      string           `json:"azp"`
	AuthTime *jwt.NumericDate `json:"auth_time"`
	Acr      string           `json:"acr"`
	Sid      string           `json:"sid"`
}

// idTokenRules are judged for every ID Token, after go-oidc has checked signature, iss, aud and exp.
var idTokenRules = oidc.Table[idToken]{
	{Spec: "Core §2", Text: "the ID Token's sub has 1 to 255 ASCII characters", Else: InvalidIDToken,
		Holds: func(t idToken) bool {
			ascii := !strings.ContainsFunc(t.Subject, func(r rune) bool { return r > 0x7e })
			return t.Subject != "" && len(t.Subject) <= 255 && ascii
		},
		Got: func(t idToken) string { return fmt.Sprintf("%+q", clip(t.Subject)) }},
	{Spec: "Core §3.1.3.7 (4)", Text: "an ID Token with several audiences has an azp", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return len(t.Audience) == 1 || t.Azp != "" },
		Got:   func(t idToken) string { return fmt.Sprintf("%d audiences", len(t.Audience)) }},
	{Spec: "Core §3.1.3.7 (5)", Text: "the ID Token's azp, when present, is the client_id", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.Azp == "" || t.Azp == t.config.ClientID },
		Got:   func(t idToken) string { return fmt.Sprintf("%q, this is %q", clip(t.Azp), t.config.ClientID) }},
	{Spec: "Core §3.1.3.7 (3)", Text: "the ID Token's aud holds trusted audiences only", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return !slices.ContainsFunc(t.Audience, t.config.distrusts) },
		Got:   func(t idToken) string { return fmt.Sprintf("%q, this is %q", t.Audience, t.config.ClientID) }},
	{Spec: "Core §2", Text: "the ID Token has an iat", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.IssuedAt.Unix() > 0 }},
	{Spec: "Core §3.1.3.7 (10)", Text: "the ID Token's iat is at most 1m0s ahead of our clock", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.IssuedAt.Sub(t.now) <= skew },
		Got:   func(t idToken) string { return seconds(t.IssuedAt.Sub(t.now)) + " ahead" }},
	{Spec: "Core §3.1.3.7 (10)", Text: "the ID Token's iat is at most 10m0s ago by our clock", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.now.Sub(t.IssuedAt) <= stale },
		Got:   func(t idToken) string { return seconds(t.now.Sub(t.IssuedAt)) + " ago" }},
	{Spec: "Core §3.1.3.8", Text: "the ID Token's at_hash, when present, is the hash of the access token",
		Else:  InvalidIDToken,
		Holds: func(t idToken) bool { return t.AccessTokenHash == "" || t.VerifyAccessToken(t.accessToken) == nil }},
}

// loginRules compare the ID Token with the authentication request.
var loginRules = oidc.Table[idToken]{
	{Spec: "Core §3.1.3.7 (11)", Text: "the ID Token's nonce is the one of the request", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return subtle.ConstantTimeCompare([]byte(t.Nonce), []byte(t.flow.Nonce)) == 1 }},
	{Spec: "Core §3.1.3.7 (12)", Text: "the ID Token's acr is one of the essential ones of the request",
		Else: InvalidIDToken,
		Holds: func(t idToken) bool {
			wanted := t.config.essentialACRs()
			return len(wanted) == 0 || slices.Contains(wanted, t.Acr)
		},
		Got: func(t idToken) string { return fmt.Sprintf("%q, asked for %q", clip(t.Acr), t.config.essentialACRs()) }},
	{Spec: "Core §3.1.3.7 (13)", Text: "the ID Token has an auth_time when max_age was sent", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.flow.MaxAge == nil || t.AuthTime != nil }},
	{Spec: "Core §3.1.3.7 (13)", Text: "the ID Token's auth_time is at most max_age ago", Else: InvalidIDToken,
		Holds: func(t idToken) bool {
			return t.flow.MaxAge == nil || t.now.Sub(t.AuthTime.Time()) <= time.Duration(*t.flow.MaxAge)*time.Second+skew
		},
		Got: func(t idToken) string {
			return fmt.Sprintf("%s ago, max_age was %d seconds", seconds(t.now.Sub(t.AuthTime.Time())), *t.flow.MaxAge)
		}},
}

// refreshRules compare the ID Token of a refresh with the session that it renews.
var refreshRules = oidc.Table[idToken]{
	{Spec: "Core §12.2", Text: "the ID Token's auth_time, when present, is that of the sign-in", Else: InvalidIDToken,
		Holds: func(t idToken) bool {
			return t.AuthTime == nil || t.before.AuthTime.IsZero() || t.AuthTime.Time().Equal(t.before.AuthTime)
		}},
	{Spec: "Core §12.2", Text: "the ID Token's nonce, when present, is that of the sign-in", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.Nonce == "" || t.Nonce == t.before.claim("nonce") }},
	{Spec: "Core §12.2", Text: "the ID Token's aud is that of the sign-in", Else: InvalidIDToken,
		Holds: func(t idToken) bool {
			return slices.Equal(slices.Sorted(slices.Values(t.Audience)), slices.Sorted(slices.Values(t.before.audience())))
		},
		Got: func(t idToken) string { return fmt.Sprintf("%q, it was %q", t.Audience, t.before.audience()) }},
	{Spec: "Core §12.2", Text: "the ID Token's azp is that of the sign-in", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.Azp == t.before.claim("azp") },
		Got:   func(t idToken) string { return fmt.Sprintf("%q, it was %q", clip(t.Azp), t.before.claim("azp")) }},
	{Spec: "Core §12.2", Text: "the ID Token's iat is not before that of the last ID Token", Else: InvalidIDToken,
		Holds: func(t idToken) bool { return t.before.IssuedAt.Sub(t.IssuedAt) <= skew }, // clocks of two replicas may differ
		Got:   func(t idToken) string { return seconds(t.before.IssuedAt.Sub(t.IssuedAt)) + " before" }},
}

func seconds(d time.Duration) string { return d.Round(time.Second).String() }

func (c Config) distrusts(audience string) bool {
	return audience != c.ClientID && !slices.Contains(c.TrustedAudiences, audience)
}

// verify checks the token response to a code (Core §3.1.3.5, §3.1.3.7, §3.1.3.8) and returns a session that is not
// stored yet.
func (p *RP) verify(ctx context.Context, d *discovered, f *flow, token *oauth2.Token) (*Session, error) {
	if err := p.checkTokenType(token); err != nil {
		return nil, err
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return nil, InvalidIDToken.Errorf("the token endpoint's answer has no id_token (Core section 3.1.3.3)")
	}
	return p.verifyIDToken(ctx, d, raw, token, loginRules, idToken{flow: f})
}

func (p *RP) checkTokenType(token *oauth2.Token) error {
	if strings.EqualFold(token.TokenType, p.tokenType()) {
		return nil
	}
	return oidc.ServerError.Errorf("the token endpoint's answer has token_type %q, expected %s "+
		"(Core section 3.1.3.3, RFC 9449 section 5)", clip(token.TokenType), p.tokenType())
}

// verifyIDToken judges the ID Token by idTokenRules and more.
func (p *RP) verifyIDToken(
	ctx context.Context, d *discovered, raw string, token *oauth2.Token, more oidc.Table[idToken], t idToken,
) (*Session, error) {
	raw, err := p.decrypt(raw)
	if err != nil {
		return nil, InvalidIDToken.Errorf("the ID Token cannot be decrypted (Core section 3.1.3.7 (1)): %s",
			clip(err.Error()))
	}
	keys := &recordingKeySet{keySet: p.keys}
	t.IDToken, err = p.verifier(d, keys).Verify(ctx, raw)
	switch {
	case keys.down != nil:
		return nil, keys.down
	case err != nil:
		return nil, InvalidIDToken.Errorf("the ID Token is not acceptable (Core section 3.1.3.7): %s", clip(err.Error()))
	case t.IDToken.Claims(&t.idTokenClaims) != nil:
		return nil, InvalidIDToken.Errorf("azp, sid or acr is not a string, or auth_time is not a number (Core section 2)")
	}
	t.accessToken, t.config, t.now = token.AccessToken, p.config, p.config.Now()
	if err := slices.Concat(idTokenRules, more).Judge(ctx, t); err != nil {
		return nil, err
	}
	return p.newSession(t, raw, token), nil
}

// decrypt returns the signed JWT inside an encrypted one (Core §10.2: "signed and then encrypted"), and any other text
// unchanged. The caller verifies the signature.
func (p *RP) decrypt(raw string) (string, error) {
	if strings.Count(raw, ".") != 4 { // RFC 7516 §3.1
		return raw, nil
	}
	for _, key := range p.config.DecryptionKeys {
		object, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(key.Algorithm)},
			contentEncryptions)
		if err != nil || (object.Header.KeyID != "" && object.Header.KeyID != key.KeyID) {
			continue
		}
		if plain, err := object.Decrypt(key); err == nil {
			return string(plain), nil
		}
	}
	return "", errors.New("it is encrypted, and to none of DecryptionKeys by its own alg")
}

func (p *RP) verifier(d *discovered, keys gooidc.KeySet) *gooidc.IDTokenVerifier {
	return gooidc.NewVerifier(p.config.Issuer, keys, &gooidc.Config{
		ClientID: p.config.ClientID, Now: p.config.Now,
		SupportedSigningAlgs: signingAlgs(p.config.IDTokenSignedResponseAlg, d.metadata.IDTokenSigningAlgValuesSupported),
	})
}

// signingAlgs are the accepted algorithms of a token of the provider: the registered one, or the asymmetric ones among
// those offered. Core §3.1.3.7 (7): "The alg value SHOULD be the default of RS256 or the algorithm sent by the Client
// in the id_token_signed_response_alg parameter during Registration".
func signingAlgs(registered string, offered []string) []string {
	if registered != "" {
		return []string{registered}
	}
	algs := slices.DeleteFunc(slices.Clone(offered), func(alg string) bool {
		return !slices.Contains(asymmetric, jose.SignatureAlgorithm(alg))
	})
	if len(algs) == 0 {
		return []string{string(jose.RS256)}
	}
	return algs
}

// recordingKeySet is a keySet for one token. It records the token's typ, and that the provider could not be asked for
// its keys.
type recordingKeySet struct {
	*keySet
	typ  string
	down *oidc.Error
}

// VerifySignature implements go-oidc's KeySet. The verifier has checked the algorithm before.
func (k *recordingKeySet) VerifySignature(ctx context.Context, raw string) ([]byte, error) {
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return nil, err
	}
	k.typ = mediaType(token.Headers[0])
	claims, err := k.verify(ctx, token)
	k.down, _ = errors.AsType[*oidc.Error](err)
	return claims, err
}

// mediaType reads typ. RFC 7515 §4.1.9: "application/" may be left out; media types are case-insensitive.
func mediaType(header jose.Header) string {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}
