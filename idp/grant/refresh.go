package grant

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Grace is the default of Config.Grace.
const Grace = 10 * time.Second

// endedRetention is how long an ended family is stored, so that a late client gets "expired" or "revoked".
const endedRetention = time.Hour

// Errors of Family, Look and Use, besides ErrUnknown and ErrReplayed.
var (
	ErrExpired = errors.New("grant: the refresh token expired")
	ErrRevoked = errors.New("grant: what was granted was revoked")
)

// Terms are the lifetimes and the rotation of the refresh tokens of a client.
type Terms struct {
	Idle     time.Duration // the lifetime of an unused token
	Absolute time.Duration // the lifetime of the whole family, from its first token
	Access   time.Duration // the lifetime of the access tokens
	Rotate   bool          // each use gives a new token; false: the first token stays valid
}

// Family is the record of the refresh tokens of one grant. One token is current. The record has only hashes and a salt,
// so no token can be computed from it.
type Family struct {
	Grant Grant  `json:"grant"`
	JKT   string `json:"jkt,omitempty"` // the key that the tokens are bound to (RFC 9449 §5); empty: none

	Mark      string    `json:"mark"`    // hash of the part that all tokens of the family share
	Current   string    `json:"current"` // hash of the current token's own part
	Previous  string    `json:"previous,omitempty"`
	Salt      string    `json:"salt,omitempty"` // the current token is HMAC(Salt, previous token)
	RotatedAt time.Time `json:"rotated_at,omitzero"`

	BegunAt     time.Time `json:"begun_at,omitzero"`
	UsedAt      time.Time `json:"used_at,omitzero"`
	IdleUntil   time.Time `json:"idle_until,omitzero"`
	Until       time.Time `json:"until,omitzero"`
	TokensUntil time.Time `json:"tokens_until,omitzero"` // the latest expiry of its access tokens
	RevokedAt   time.Time `json:"revoked_at,omitzero"`   // set in a tombstone, which has few other fields
}

// refreshToken has three parts: the id of the grant, a part common to its family, and its own part. The second part
// distinguishes a replaced token from an invented token, because the ids of grants are not secret.
type refreshToken struct{ id, mark, turn string }

func parseRefreshToken(token string) (refreshToken, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" {
		return refreshToken{}, false
	}
	return refreshToken{parts[0], parts[1], parts[2]}, true
}

func (t refreshToken) String() string { return t.id + "." + t.mark + "." + t.turn }

// next returns the token after t. RFC 9700 §4.14.2: "the authorization server issues a new refresh token with every
// access token refresh response. The previous refresh token is invalidated". It is computed, so concurrent tabs get the
// same token.
func (t refreshToken) next(salt string) refreshToken {
	mac := hmac.New(sha256.New, []byte(salt))
	mac.Write([]byte(t.String()))
	return refreshToken{t.id, t.mark, base64.RawURLEncoding.EncodeToString(mac.Sum(nil))}
}

// familyKey returns the key of the family, in the group of the grant.
func familyKey(id string) string { return storage.GroupKey(id, "refresh") }

// Begin begins the grant's family and returns its first refresh token. jkt, if not empty, is the key that its tokens
// are bound to. It returns ErrRevoked if the grant was revoked meanwhile.
func (g *Grants) Begin(ctx context.Context, granted Grant, jkt string, terms Terms) (token string, err error) {
	now, first := g.Now(), refreshToken{granted.ID, g.Random(), g.Random()}
	// these fields belong to the code, which is spent
	granted.RedirectURI, granted.CodeChallenge, granted.Nonce, granted.ExpiresAt = "", "", "", time.Time{}
	family := &Family{
		Grant: granted, JKT: jkt, Mark: hash(first.mark), Current: hash(first.turn), BegunAt: now,
		Until: now.Add(terms.Absolute),
	}
	family.use(now, terms)
	err = g.Families.Update(ctx, familyKey(first.id), terms.retention(), func(old *Family) (*Family, error) {
		if old != nil {
			return nil, ErrRevoked
		}
		return family, nil
	})
	if err != nil {
		return "", err
	}
	if err := g.addToIndex(ctx, family, terms); err != nil {
		return "", err
	}
	// The check comes after the write to the index: if the user takes the grant back at the same time, either that request
	// finds the grant in the index, or this check finds the record of that request.
	isTakenBack, err := g.IsTakenBack(ctx, granted.Sub, granted.ClientID, granted.GrantedAt)
	if isTakenBack {
		err = errors.Join(ErrRevoked, g.Revoke(ctx, granted.ID))
	}
	return first.String(), err
}

// Family returns the family of a refresh token; the caller checks whether the client may use it. Its errors are
// ErrUnknown, ErrExpired and ErrRevoked. For a token that was replaced before, it revokes the grant and returns
// ErrReplayed. RFC 9700 §4.14.2: "the authorization server cannot determine which party submitted the invalid refresh
// token, but it will revoke the active refresh token."
func (g *Grants) Family(ctx context.Context, token string) (Family, error) {
	family, err := g.Look(ctx, token)
	return family, g.ended(ctx, family.Grant.ID, err)
}

// Look is Family without revocation. It returns the family also with an error, except ErrUnknown; a revoked family has
// only the ids of its user and client.
func (g *Grants) Look(ctx context.Context, token string) (Family, error) {
	t, ok := parseRefreshToken(token)
	if !ok {
		return Family{}, ErrUnknown
	}
	family, err := g.Families.Get(ctx, familyKey(t.id))
	if errors.Is(err, storage.ErrNotFound) {
		return Family{}, ErrUnknown
	}
	if err == nil {
		err = family.judge(t, g.Now(), g.Grace)
	}
	if errors.Is(err, ErrUnknown) {
		return Family{}, err
	}
	return family, err
}

// Use exchanges the token for the next token, or returns the same token if terms do not rotate. Concurrent uses of one
// token, and further uses within Grace, get the same next token. Its errors are those of Family.
func (g *Grants) Use(ctx context.Context, token string, terms Terms) (next string, err error) {
	t, ok := parseRefreshToken(token)
	if !ok {
		return "", ErrUnknown
	}
	salt := g.Random()
	err = g.Families.Update(ctx, familyKey(t.id), terms.retention(), func(family *Family) (*Family, error) {
		if family == nil {
			return nil, ErrUnknown
		}
		now := g.Now()
		if err := family.judge(t, now, g.Grace); err != nil {
			return nil, err
		}
		next = family.turn(t, salt, now, terms.Rotate).String()
		family.use(now, terms)
		return family, nil
	})
	return next, g.ended(ctx, t.id, err)
}

// ended revokes a family whose token was replayed. It returns err, or the error of the revocation.
func (g *Grants) ended(ctx context.Context, id string, err error) error {
	if !errors.Is(err, ErrReplayed) {
		return err
	}
	if failed := g.Revoke(ctx, id); failed != nil {
		return failed
	}
	return err
}

// judge returns the error of the token, if it has one.
func (f *Family) judge(t refreshToken, now time.Time, grace time.Duration) error {
	switch {
	case !isHash(f.Mark, t.mark):
		return ErrUnknown
	case !f.RevokedAt.IsZero():
		return ErrRevoked
	case !now.Before(f.IdleUntil) || !now.Before(f.Until):
		return ErrExpired
	case isHash(f.Current, t.turn), isHash(f.Previous, t.turn) && now.Sub(f.RotatedAt).Abs() < grace:
		return nil
	}
	return ErrReplayed
}

// turn replaces the valid token t by the next one and returns it.
func (f *Family) turn(t refreshToken, salt string, now time.Time, rotate bool) refreshToken {
	switch {
	case !rotate:
		return t
	case !isHash(f.Current, t.turn):
		return t.next(f.Salt)
	}
	next := t.next(salt)
	f.Previous, f.Current, f.Salt, f.RotatedAt = f.Current, hash(next.turn), salt, now
	return next
}

// use records that tokens are issued now.
func (f *Family) use(now time.Time, terms Terms) {
	f.UsedAt, f.IdleUntil = now, now.Add(min(terms.Idle, f.Until.Sub(now)))
	f.TokensUntil = later(now.Add(terms.Access), f.TokensUntil)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// retention is how long the store holds an unused family.
func (t Terms) retention() time.Duration { return min(t.Idle, t.Absolute) + endedRetention }

func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// isHash tells in constant time whether sum is the hash of secret; an empty sum never is.
func isHash(sum, secret string) bool {
	return sum != "" && subtle.ConstantTimeCompare([]byte(sum), []byte(hash(secret))) == 1
}
