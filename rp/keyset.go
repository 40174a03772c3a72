package rp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/sync/singleflight"

	"github.com/hush-idp/hush/oidc"
)

const (
	// The key set sends the provider at most maxFetches requests in one fetchWindow, however many bad tokens come.
	fetchWindow = 10 * time.Second
	maxFetches  = 5
	freshFor    = 5 * time.Minute // until keys are fetched again, because the provider may withdraw a key
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

// signedJWT is a JWT of the provider whose signature has been verified.
type signedJWT struct {
	raw, typ string
	claims   json.RawMessage
}

// goOIDCClaims are the claims of ID Tokens and logout tokens that go-oidc checks or returns.
var goOIDCClaims = []string{"iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "at_hash", "jti", "events", "sid"}

// VerifySignature implements go-oidc's KeySet for a verifier that checks the claims of this JWT. It returns only
// goOIDCClaims, because go-oidc would take SUB for sub.
func (j signedJWT) VerifySignature(context.Context, string) ([]byte, error) {
	var claims map[string]json.RawMessage
	if josejson.Unmarshal(j.claims, &claims) != nil {
		return nil, errors.New("its claims are no JSON object, or a name is there twice (RFC 7519 section 4)")
	}
	maps.DeleteFunc(claims, func(name string, _ json.RawMessage) bool { return !slices.Contains(goOIDCClaims, name) })
	return json.Marshal(claims)
}

// tokenKind says how errors name a kind of token.
type tokenKind struct {
	code       oidc.ErrorCode
	noun, spec string
}

// refuse returns the error about a token that breaks the rule err. An *oidc.Error, such as ProviderDown, stays as it
// is.
func (k tokenKind) refuse(err error) error {
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return e
	}
	return k.code.Errorf("%s is not acceptable (%s): %s", k.noun, k.spec, clip(err.Error()))
}

// open decrypts a JWT of the provider and verifies its signature by alg. field is the field of Config that says alg.
func (p *RP) open(ctx context.Context, raw, alg, field string) (signedJWT, error) {
	raw, err := decrypt(strings.TrimSpace(raw), p.config.DecryptionKeys)
	if err != nil {
		return signedJWT{}, err
	}
	signed, err := p.keys.open(ctx, raw, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(alg)})
	if _, other := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); other {
		err = fmt.Errorf("%w: set %s to the alg that is registered for this client", err, field)
	}
	return signed, err
}

// decrypt returns the signed JWT inside an encrypted one (Core §10.2: "signed and then encrypted"), and any other text
// unchanged.
func decrypt(raw string, keys []jose.JSONWebKey) (string, error) {
	if strings.Count(raw, ".") != 4 { // RFC 7516 §3.1
		return raw, nil
	}
	for _, key := range keys {
		alg := jose.KeyAlgorithm(key.Algorithm)
		object, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{alg}, contentEncryptions)
		if err != nil || (object.Header.KeyID != "" && object.Header.KeyID != key.KeyID) {
			continue
		}
		if plain, err := object.Decrypt(key); err == nil {
			return string(plain), nil
		}
	}
	return "", errors.New("it cannot be decrypted: none of DecryptionKeys fits by its own alg")
}

// signingAlg is the algorithm of a token of the provider (Core §3.1.3.7 (7)): the registered one, or the default among
// the asymmetric ones that the provider offers.
func signingAlg(registered string, offered []string) string {
	if registered != "" {
		return registered
	}
	algs := slices.DeleteFunc(slices.Clone(offered), func(alg string) bool {
		return !slices.Contains(asymmetric, jose.SignatureAlgorithm(alg))
	})
	if len(algs) == 0 {
		return string(jose.RS256)
	}
	return oidc.DefaultSigningAlg(algs)
}

// mediaType reads typ. RFC 7515 §4.1.9: "application/" may be left out; media types are case-insensitive.
func mediaType(header jose.Header) string {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return strings.TrimPrefix(strings.ToLower(typ), "application/")
}

// keySet caches the provider's public keys. go-oidc's cache asks the provider again for each bad signature, so anybody
// could cause requests with bad tokens. It also tries all keys for a token without kid, whatever their use and alg.
type keySet struct {
	provider *provider
	now      func() time.Time
	fetching singleflight.Group

	mu      sync.Mutex
	keys    oidc.KeySet
	fetched time.Time // of keys
	window  time.Time // the beginning of the current fetchWindow
	fetches int       // successful ones in the window
}

// open verifies the signature of a JWT. The error is an *oidc.Error when the provider cannot be asked.
func (k *keySet) open(ctx context.Context, raw string, algs []jose.SignatureAlgorithm) (signedJWT, error) {
	token, err := jwt.ParseSigned(raw, algs)
	if err != nil {
		return signedJWT{}, fmt.Errorf("it is not a JWT signed as expected: %w", err)
	}
	if err := oidc.CheckCrit(token.Headers[0]); err != nil {
		return signedJWT{}, err
	}
	claims, err := k.verify(ctx, token)
	return signedJWT{raw: raw, typ: mediaType(token.Headers[0]), claims: claims}, err
}

// verify returns the claims of a token, a JSON object. When no cached key fits, or the cache is not fresh, it fetches
// the keys (Core §10.1.1: the kid of a rotated key is unknown at first). While the provider cannot be asked, old keys
// still verify.
func (k *keySet) verify(ctx context.Context, token *jwt.JSONWebToken) (json.RawMessage, error) {
	claims, fresh, err := k.verifyCached(token)
	if err == nil && fresh {
		return claims, nil
	}
	_, down := shareCall(ctx, k.provider, &k.fetching, "", k.fetch)
	if claims, _, err = k.verifyCached(token); err != nil && down != nil {
		return nil, down
	}
	return claims, err
}

// verifyCached tries the cached keys.
func (k *keySet) verifyCached(token *jwt.JSONWebToken) (claims json.RawMessage, fresh bool, err error) {
	k.mu.Lock()
	set, fresh := k.keys, k.now().Sub(k.fetched).Abs() < freshFor
	k.mu.Unlock()
	header := token.Headers[0]
	keys, err := set.Verifying(header.Algorithm, header.KeyID)
	for _, key := range keys {
		if token.Claims(key.Key, &claims) == nil {
			return claims, fresh, nil
		}
	}
	reason := cmp.Or(err, fmt.Errorf("kid '%s', alg %s", clip(header.KeyID), header.Algorithm))
	return nil, fresh, fmt.Errorf("no key of the provider verifies the signature: %w", reason)
}

// fetch replaces the cached keys, unless the window has had maxFetches requests.
func (k *keySet) fetch(ctx context.Context) (struct{}, error) {
	k.mu.Lock()
	if now := k.now(); now.Sub(k.window).Abs() >= fetchWindow {
		k.window, k.fetches = now, 0
	}
	exhausted := k.fetches >= maxFetches
	k.mu.Unlock()
	if exhausted {
		return struct{}{}, nil // the cached keys are at most fetchWindow old
	}
	keys, err := k.provider.fetchKeys(ctx)
	if err != nil {
		return struct{}{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.fetched = keys, k.now()
	k.fetches++
	return struct{}{}, nil
}
