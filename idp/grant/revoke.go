package grant

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Revoke ends a grant: its refresh tokens, and the access tokens that came with them. Revoking a revoked or an unknown
// grant is no error.
func (g *Grants) Revoke(ctx context.Context, id string) error { return g.end(ctx, id, time.Time{}) }

// end makes the provider refuse every token of the grant until the last token expires: at tokensUntil, or later if
// there are refresh tokens. It writes a tombstone of the family, even if there is no family, so that Begin fails
// afterwards.
func (g *Grants) end(ctx context.Context, id string, tokensUntil time.Time) error {
	var family Family
	now := g.Now()
	err := g.Families.Update(ctx, familyKey(id), endedRetention, func(old *Family) (*Family, error) {
		family = Family{Grant: Grant{ID: id}}
		if old != nil {
			family = *old
		}
		whose := Grant{ID: id, Sub: family.Grant.Sub, ClientID: family.Grant.ClientID}
		return &Family{
			Grant: whose, Mark: family.Mark, TokensUntil: later(family.TokensUntil, tokensUntil), RevokedAt: now,
		}, nil
	})
	if err != nil {
		return err
	}
	if left := later(family.TokensUntil, tokensUntil).Sub(now); left > 0 {
		if err := g.Revoked.Put(ctx, revokedKey(id, ""), now, left); err != nil {
			return err
		}
	}
	if family.Grant.Sub == "" {
		return nil
	}
	return g.removeFromIndex(ctx, family.Grant.Sub, id)
}

// revokedKey returns a key in the group of the grant. Without a jti it is the key of the whole grant.
func revokedKey(id, jti string) string { return storage.GroupKey(id, jti) }

// RevokeToken makes the provider refuse one access token of the grant, which expires at until.
func (g *Grants) RevokeToken(ctx context.Context, id, jti string, until time.Time) error {
	left := until.Sub(g.Now())
	if left <= 0 {
		return nil
	}
	return g.Revoked.Put(ctx, revokedKey(id, jti), g.Now(), left)
}

// AllClients stands for all clients of a user.
const AllClients = ""

// takeBack records that the user takes the grants of the client back now.
func (g *Grants) takeBack(ctx context.Context, sub, clientID string) error {
	type times = map[string]time.Time
	return g.TakenBack.Update(ctx, sub, consentRetention, func(old *times) (*times, error) {
		if old == nil || *old == nil {
			old = &times{}
		}
		(*old)[clientID] = g.Now()
		for len(*old) > maxConsents {
			delete(*old, slices.MinFunc(slices.Sorted(maps.Keys(*old)), func(a, b string) int {
				return (*old)[a].Compare((*old)[b])
			}))
		}
		return old, nil
	})
}

// ClockError is how far the clocks of two replicas may differ. A time that is further ahead was recorded before the
// clock was set back, and it is not known how long ago.
const ClockError = 5 * time.Second

// IsTakenBack tells whether the user took back, at that time or later, what the client was granted. A record from
// before the clock was set back does not end a grant from after that; otherwise the client would get no grant until the
// clock reaches the time of the record.
func (g *Grants) IsTakenBack(ctx context.Context, sub, clientID string, grantedAt time.Time) (bool, error) {
	times, err := g.TakenBack.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	latest := g.Now().Add(ClockError)
	isLater := func(clientID string) bool {
		at, ok := times[clientID]
		return ok && at.UnixMilli() >= grantedAt.UnixMilli() && (!at.After(latest) || grantedAt.After(latest))
	}
	return isLater(clientID) || isLater(AllClients), err
}

// IsRevoked tells whether all tokens of the grant are refused.
func (g *Grants) IsRevoked(ctx context.Context, id string) (bool, error) {
	return g.isRevoked(ctx, id, "")
}

// IsTokenRevoked tells whether this access token of the grant is refused.
func (g *Grants) IsTokenRevoked(ctx context.Context, id, jti string) (bool, error) {
	revoked, err := g.isRevoked(ctx, id, "")
	if revoked || err != nil {
		return revoked, err
	}
	return g.isRevoked(ctx, id, jti)
}

func (g *Grants) isRevoked(ctx context.Context, id, jti string) (bool, error) {
	_, err := g.Revoked.Get(ctx, revokedKey(id, jti))
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
