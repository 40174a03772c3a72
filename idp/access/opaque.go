package access

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/trace"
)

// The two kinds of kept tokens: a jti, which everybody may read, is no secret of an opaque token.
const (
	forOpaque = "opaque "
	forJWT    = "jwt "
)

// opaque writes a token that means nothing to anybody: the id of its grant, a dot, and a secret. What it says stays in the store,
// under its hash. RFC 6749 §1.4: "The token may denote an identifier used to retrieve the authorization information".
func (t *Tokens) opaque(ctx context.Context, token Token) (string, error) {
	secret := t.Random()
	if err := t.keep(ctx, forOpaque+secret, token); err != nil {
		return "", err
	}
	raw := token.GrantID + "." + secret
	if recorder := trace.From(ctx); recorder != nil {
		recorder.Join(trace.JTI, token.JTI)
		recorder.Emit(trace.Step{Kind: trace.KindToken, Spec: "RFC 6749 §1.4", Text: "the access token is opaque: what it says is kept in the store", Outcome: trace.OK,
			Values: []trace.Value{trace.Secret("access_token", raw)}})
	}
	return raw, nil
}

// keep remembers the token for as long as it lives, beside whatever else stems from its grant.
func (t *Tokens) keep(ctx context.Context, key string, token Token) error {
	return t.Kept.Put(ctx, storage.Together(token.GrantID, key), token, time.Unix(token.Expiry, 0).Sub(t.Now())+time.Minute)
}

// isOpaque tells the forms apart: a JWT has two dots (RFC 7515 §7.1).
func isOpaque(raw string) bool { return strings.Count(raw, ".") == 1 }

func (t *Tokens) lookUp(ctx context.Context, raw string) (Token, error) {
	id, secret, _ := strings.Cut(raw, ".")
	token, err := t.Kept.Get(ctx, storage.Together(id, forOpaque+secret))
	if errors.Is(err, storage.ErrNotFound) {
		return Token{}, oidc.InvalidToken.Errorf("the access token is not known: it is not one of this provider, or it expired")
	}
	return token, err
}
