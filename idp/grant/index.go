package grant

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// The maximum number of grants with refresh tokens of a user. A new grant beyond it ends the oldest grant of the same
// client, or else of the user.
const (
	maxPerClient = 20
	maxPerUser   = 200
)

// Held is a grant with refresh tokens: an application's lasting access to a user's data.
type Held struct {
	ID       string // of the grant, for Revoke
	ClientID string
	Scope    oidc.Scope
	BegunAt  time.Time
	UsedAt   time.Time // when tokens were last issued
	Until    time.Time // when it ends if it is not used
}

// indexEntry is a grant in the index of a user; its other data is in its Family.
type indexEntry struct {
	ID       string    `json:"grant_id"`
	ClientID string    `json:"client_id"`
	Until    time.Time `json:"until"` // the end of the grant, also if it is in use
}

// Of lists the user's grants with refresh tokens, the newest first. A caller of Revoke must take the ID from this list,
// so that it ends only grants of the user.
func (g *Grants) Of(ctx context.Context, sub string) ([]Held, error) {
	entries, err := g.index(ctx, sub)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(entries))
	for i, h := range entries {
		keys[i] = familyKey(h.ID)
	}
	families, err := g.Families.GetAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var all []Held
	for i, h := range slices.Backward(entries) {
		if f := families[i]; f != nil && f.RevokedAt.IsZero() && g.Now().Before(f.IdleUntil) {
			all = append(all, Held{h.ID, h.ClientID, f.Grant.Scope, f.BegunAt, f.UsedAt, f.IdleUntil})
		}
	}
	return all, nil
}

// RevokeClient ends all grants that the user gave to the client; with the clientID AllClients, to every client. Access
// tokens end with them, also those of grants without refresh tokens, and those of codes that are not redeemed yet.
func (g *Grants) RevokeClient(ctx context.Context, sub, clientID string) error {
	if err := g.takeBack(ctx, sub, clientID); err != nil {
		return err
	}
	entries, err := g.index(ctx, sub)
	for _, h := range entries {
		if clientID == AllClients || h.ClientID == clientID {
			err = cmp.Or(err, g.Revoke(ctx, h.ID))
		}
	}
	return err
}

func (g *Grants) index(ctx context.Context, sub string) ([]indexEntry, error) {
	entries, err := g.Index.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return entries, err
}

// addToIndex adds the family to its user's index, and ends the grants that exceed the limits.
func (g *Grants) addToIndex(ctx context.Context, family *Family, terms Terms) error {
	var over []indexEntry
	err := g.Index.Update(ctx, family.Grant.Sub, terms.Absolute, func(old *[]indexEntry) (*[]indexEntry, error) {
		var held []indexEntry
		if old != nil {
			held = slices.DeleteFunc(*old, func(h indexEntry) bool { return !g.Now().Before(h.Until) })
		}
		held, over = trim(held, family.Grant.ClientID)
		held = append(held, indexEntry{family.Grant.ID, family.Grant.ClientID, family.Until})
		return &held, nil
	})
	for _, h := range over {
		err = cmp.Or(err, g.Revoke(ctx, h.ID))
	}
	return err
}

// trim makes space in held for one more grant of the client. It removes the oldest grants and returns them as over.
func trim(held []indexEntry, clientID string) (rest, over []indexEntry) {
	isClients := func(h indexEntry) bool { return h.ClientID == clientID }
	others := slices.DeleteFunc(slices.Clone(held), isClients)
	for len(held)-len(others) >= maxPerClient {
		i := slices.IndexFunc(held, isClients)
		over = append(over, held[i])
		held = slices.Delete(held, i, i+1)
	}
	for len(held) >= maxPerUser {
		held, over = held[1:], append(over, held[0])
	}
	return held, over
}

// removeFromIndex removes the grant from its user's index.
func (g *Grants) removeFromIndex(ctx context.Context, sub, id string) error {
	return g.Index.Update(ctx, sub, storage.KeepTTL, func(old *[]indexEntry) (*[]indexEntry, error) {
		if old == nil {
			return nil, nil
		}
		held := slices.DeleteFunc(*old, func(h indexEntry) bool { return h.ID == id })
		if len(held) == 0 {
			return nil, nil
		}
		return &held, nil
	})
}
