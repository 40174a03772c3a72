package lab

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
)

// Sign returns next with the faults of ID tokens: those that change a claim and, of those that change header or
// signature, the first. set holds the keys that next signs with; they also sign ID tokens without kid.
func (l *Lab) Sign(next keys.Signer, set *keys.KeySet) keys.Signer {
	if l == nil {
		return next
	}
	return keys.SignerFunc(func(ctx context.Context, alg, typ string, claims any) (string, error) {
		if ctx.Value(requestKey{}) == nil {
			return next.Sign(ctx, alg, typ, claims)
		}
		if typ != keys.TypeIDToken {
			l.use(ctx, ShortLifetime) // what Clients changed before takes effect here
			return next.Sign(ctx, alg, typ, claims)
		}
		claims, err := l.falsify(ctx, claims)
		if err != nil {
			return "", err
		}
		return l.seal(ctx, next, set, alg, claims)
	})
}

// falsify changes the claims as the faults want them; without such a fault they stay what they are.
func (l *Lab) falsify(ctx context.Context, claims any) (any, error) {
	var changed map[string]any
	for _, lie := range lies {
		if _, ok := l.use(ctx, lie.kind); !ok {
			continue
		}
		if changed == nil {
			var err error
			if changed, err = asMap(claims); err != nil {
				return nil, err
			}
		}
		lie.tell(changed, l.Clock.Now())
	}
	if changed == nil {
		return claims, nil
	}
	return changed, nil
}

// lies are the faults of claims.
var lies = []struct {
	kind Kind
	tell func(claims map[string]any, now time.Time)
}{
	{WrongIss, func(claims map[string]any, _ time.Time) { claims["iss"] = "https://wrong-issuer.example" }},
	{WrongAud, func(claims map[string]any, _ time.Time) { claims["aud"] = "another-client" }},
	{WrongNonce, func(claims map[string]any, _ time.Time) { claims["nonce"] = "a-nonce-that-nobody-sent" }},
	{WrongSub, func(claims map[string]any, _ time.Time) { claims["sub"] = somebodyElse }},
	{Expired, func(claims map[string]any, now time.Time) {
		claims["iat"], claims["exp"] = now.Add(-2*time.Hour).Unix(), now.Add(-time.Hour).Unix()
	}},
	{FutureIat, func(claims map[string]any, now time.Time) {
		claims["iat"], claims["exp"] = now.Add(time.Hour).Unix(), now.Add(2*time.Hour).Unix()
	}},
}

func asMap(claims any) (map[string]any, error) {
	text, err := json.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("lab: the claims are no JSON: %w", err)
	}
	var members map[string]json.RawMessage // numbers stay as they were written
	if err := json.Unmarshal(text, &members); err != nil {
		return nil, fmt.Errorf("lab: the claims are no JSON object: %w", err)
	}
	copied := map[string]any{}
	for name, value := range members {
		copied[name] = value
	}
	return copied, nil
}

// seal signs an ID token, or does it wrongly.
func (l *Lab) seal(ctx context.Context, next keys.Signer, set *keys.KeySet, alg string, claims any) (string, error) {
	f, _ := l.use(ctx, AlgNone, BadSignature, MissingKID, UnknownKID)
	switch f.Fault {
	case AlgNone:
		return unsigned(claims)
	case BadSignature:
		return spoilt(next.Sign(ctx, alg, keys.TypeIDToken, claims))
	case MissingKID:
		return set.SignWithoutKID(ctx, alg, keys.TypeIDToken, claims)
	case UnknownKID:
		return l.alien.sign(ctx, set, alg, claims)
	}
	return next.Sign(ctx, alg, keys.TypeIDToken, claims)
}

// unsigned is a JWT as RFC 7519 §6.1 has it: its signature is the empty string.
func unsigned(claims any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("lab: the claims are no JSON: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"none","typ":"`+keys.TypeIDToken+`"}`)) + "." + encode(payload) + ".", nil
}

// spoilt changes one bit of the signature.
func spoilt(signed string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	dot := strings.LastIndex(signed, ".") + 1
	signature, err := base64.RawURLEncoding.DecodeString(signed[dot:])
	if err != nil {
		return "", fmt.Errorf("lab: the signature cannot be read: %w", err)
	}
	signature[len(signature)/2] ^= 1
	return signed[:dot] + base64.RawURLEncoding.EncodeToString(signature), nil
}

// alien holds keys that the provider never publishes, each made when it is first needed.
type alien struct {
	mu   sync.Mutex
	sets map[jose.SignatureAlgorithm]*keys.KeySet
}

// sign signs an ID token by the alg that published would have used.
func (a *alien) sign(ctx context.Context, published *keys.KeySet, wanted string, claims any) (string, error) {
	alg, err := published.Alg(wanted)
	if err != nil {
		return "", err
	}
	set, err := a.keysFor(alg)
	if err != nil {
		return "", err
	}
	return set.Sign(ctx, string(alg), keys.TypeIDToken, claims)
}

func (a *alien) keysFor(alg jose.SignatureAlgorithm) (*keys.KeySet, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if made := a.sets[alg]; made != nil {
		return made, nil
	}
	made, err := keys.New([]keys.Spec{{Alg: alg}})
	if err != nil {
		return nil, err
	}
	if a.sets == nil {
		a.sets = map[jose.SignatureAlgorithm]*keys.KeySet{}
	}
	a.sets[alg] = made
	return made, nil
}
