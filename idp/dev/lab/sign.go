package lab

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/keys"
)

// Sign signs a token with next, and causes the faults of ID tokens: all faults that change a claim, and the first fault
// that changes the header or the signature. published holds the keys of next; they also sign ID tokens without kid.
func (l *Lab) Sign(ctx context.Context, next keys.Signer, published *keys.KeySet, alg, typ string, claims any) (
	string, error) {
	if ctx.Value(requestKey{}) == nil {
		return next.Sign(ctx, alg, typ, claims)
	}
	if _, isAccess := access.From(claims); isAccess || typ != keys.TypeIDToken {
		l.Use(ctx, ShortLifetime) // Client has changed the lifetime of this token
		return next.Sign(ctx, alg, typ, claims)
	}
	claims, err := l.falsify(ctx, claims)
	if err != nil {
		return "", err
	}
	f, _ := l.Use(ctx, AlgNone, BadSignature, MissingKID, UnknownKID)
	switch f.Fault {
	case AlgNone:
		return unsigned(claims)
	case BadSignature:
		return spoilt(next.Sign(ctx, alg, typ, claims))
	case MissingKID:
		return published.SignWithoutKID(ctx, alg, typ, claims)
	case UnknownKID:
		return signUnpublished(ctx, published, alg, claims)
	}
	return next.Sign(ctx, alg, typ, claims)
}

// falsify returns own, the claims of a token, with changes of the claims for which there are faults.
func (l *Lab) falsify(ctx context.Context, own any) (any, error) {
	now := l.Clock.Now()
	in := func(d time.Duration) int64 { return now.Add(d).Unix() }
	for _, wrong := range []struct {
		kind   Kind
		claims map[string]any
	}{
		{WrongIss, map[string]any{"iss": "https://wrong-issuer.example"}},
		{WrongAud, map[string]any{"aud": "another-client"}},
		{WrongNonce, map[string]any{"nonce": "a-nonce-that-nobody-sent"}},
		{WrongSub, map[string]any{"sub": somebodyElse}},
		{Expired, map[string]any{"iat": in(-2 * time.Hour), "exp": in(-time.Hour)}},
		{FutureIat, map[string]any{"iat": in(time.Hour), "exp": in(2 * time.Hour)}},
	} {
		if _, ok := l.Use(ctx, wrong.kind); !ok {
			continue
		}
		changed, err := claims.Members(own)
		if err != nil {
			return nil, err
		}
		maps.Copy(changed, wrong.claims)
		own = changed
	}
	return own, nil
}

// unsigned is a JWT whose signature is the empty string (RFC 7519 §6.1).
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

// signUnpublished signs an ID token with a new key that the provider never publishes, by the alg that published would
// use.
func signUnpublished(ctx context.Context, published *keys.KeySet, wanted string, claims any) (string, error) {
	alg, err := published.Alg(wanted)
	if err != nil {
		return "", err
	}
	// one signature needs no clock
	unpublished, err := keys.New([]keys.Spec{{Alg: alg}}, func() time.Time { return time.Unix(0, 0) })
	if err != nil {
		return "", err
	}
	return unpublished.Sign(ctx, string(alg), keys.TypeIDToken, claims)
}
