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

// How many grants with refresh tokens a user can have at a time: what comes on top ends the oldest, of the same client
// first. A client that asks for offline access again and again so ends its own.
const (
	heldPerClient = 20
	heldPerUser   = 200
)

// Held is an application's lasting access to what a user has: a grant with refresh tokens.
type Held struct {
	ID       string // of the grant, for Revoke
	ClientID string
	Scope    oidc.Scope
	BegunAt  time.Time
	UsedAt   time.Time // when tokens were given last
	Until    time.Time // when it ends by itself if it is not used
}

// holding is what the index of a user knows of a grant; the rest is in its Family.
type holding struct {
	ID       string    `json:"grant_id"`
	ClientID string    `json:"client_id"`
	Until    time.Time `json:"until"` // it is over then however much it is used
}

// Of lists what applications hold in the user's name, the youngest first. Who ends one by Revoke takes its ID from
// here, so that it is the user's own.
func (g *Grants) Of(ctx context.Context, sub string) ([]Held, error) {
	holdings, err := g.holdings(ctx, sub)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(holdings))
	for i, h := range holdings {
		keys[i] = familyKey(h.ID)
	}
	families, err := g.Families.GetAll(ctx, keys)
	if err != nil {
		return nil, err
	}
	var all []Held
	for i, h := range slices.Backward(holdings) {
		if f := families[i]; f != nil && f.RevokedAt.IsZero() && g.Now().Before(f.IdleUntil) {
			all = append(all, Held{h.ID, h.ClientID, f.Grant.Scope, f.BegunAt, f.UsedAt, f.IdleUntil})
		}
	}
	return all, nil
}

// RevokeClient ends all that the client holds in the user's name.
func (g *Grants) RevokeClient(ctx context.Context, sub, clientID string) error {
	holdings, err := g.holdings(ctx, sub)
	for _, h := range holdings {
		if h.ClientID == clientID {
			err = cmp.Or(err, g.Revoke(ctx, h.ID))
		}
	}
	return err
}

func (g *Grants) holdings(ctx context.Context, sub string) ([]holding, error) {
	holdings, err := g.Holdings.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return holdings, err
}

// hold puts the family into its user's index, and ends those that there is no room for any more.
func (g *Grants) hold(ctx context.Context, family *Family, terms Terms) error {
	var over []holding
	err := g.Holdings.Update(ctx, family.Grant.Sub, terms.Absolute, func(old *[]holding) (*[]holding, error) {
		var held []holding
		if old != nil {
			held = slices.DeleteFunc(*old, func(h holding) bool { return !g.Now().Before(h.Until) })
		}
		held, over = makeRoom(held, family.Grant.ClientID)
		held = append(held, holding{family.Grant.ID, family.Grant.ClientID, family.Until})
		return &held, nil
	})
	for _, h := range over {
		err = cmp.Or(err, g.Revoke(ctx, h.ID))
	}
	return err
}

// makeRoom takes out of held, the oldest first, what one more of the client leaves no room for.
func makeRoom(held []holding, clientID string) (rest, over []holding) {
	isClients := func(h holding) bool { return h.ClientID == clientID }
	for count(held, isClients) >= heldPerClient {
		i := slices.IndexFunc(held, isClients)
		over = append(over, held[i])
		held = slices.Delete(held, i, i+1)
	}
	for len(held) >= heldPerUser {
		held, over = held[1:], append(over, held[0])
	}
	return held, over
}

func count(held []holding, counts func(holding) bool) (n int) {
	for _, h := range held {
		if counts(h) {
			n++
		}
	}
	return n
}

// letGo takes the grant out of its user's index.
func (g *Grants) letGo(ctx context.Context, sub, id string) error {
	return g.Holdings.Update(ctx, sub, storage.KeepTTL, func(old *[]holding) (*[]holding, error) {
		if old == nil {
			return nil, nil
		}
		held := slices.DeleteFunc(*old, func(h holding) bool { return h.ID == id })
		if len(held) == 0 {
			return nil, nil
		}
		return &held, nil
	})
}
