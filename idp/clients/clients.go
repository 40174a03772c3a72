// Package clients is the register of relying parties: who they are by client_id, and which web origins are theirs.
//
//	configuration ──────────────┐
//	                            ├──► list ──► ByID, All, AllowsOrigin
//	Update ──► storage.Cell ────┘                │
//	           added and changed clients         └──► Registered: those that registered themselves, a record each,
//	                                                  asked for last, and remembered for a second
//
// The configuration fills it; in development mode the console adds and changes clients while the provider runs. What
// was changed so holds until the configuration says something else about this client than it did then: who edits the
// file expects it to count.
//
// Where teaching ends: nothing lists who registered. The store keeps no list, so neither All nor the console shows
// them.
package clients

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Lookup finds clients: a *Register, or a decorator of one.
type Lookup interface {
	// ByID returns the client with this client_id, or ErrUnknown.
	ByID(ctx context.Context, clientID string) (oidc.Client, error)
}

// Register holds the clients. Its methods may be called by many goroutines at once.
type Register struct {
	configured []oidc.Client
	cell       *storage.Cell[[]stored]
	merged     atomic.Pointer[list]

	// Registered are the clients that registered themselves. nil: there are none.
	Registered *Registered
}

// list is the register as it is at one moment. It does not change.
type list struct {
	of      *[]stored // the changes that are in it
	clients []oidc.Client
	byID    map[string]oidc.Client
	origins []string // of all redirect URIs
}

// New returns a register of the clients, whose client_ids differ. What is changed in it is forgotten with the process.
func New(configured []oidc.Client) *Register { return On(storage.Alone(), configured) }

// On returns a register whose changes live in the place.
func On(place storage.Place, configured []oidc.Client) *Register {
	return &Register{configured: configured, cell: storage.NewCell[[]stored](place, "console", "clients")}
}

// CatchUp reads what other replicas changed, if that was not done a moment ago. On an error the register stays as it
// is.
func (r *Register) CatchUp(ctx context.Context) error { return r.cell.CatchUp(ctx) }

// now is the list with the changes that were last seen.
func (r *Register) now() *list {
	changes, l := r.cell.View(), r.merged.Load()
	if l == nil || l.of != changes {
		l = newList(r.with(changes))
		l.of = changes
		r.merged.Store(l)
	}
	return l
}

// with are the configured clients with the changes.
func (r *Register) with(changes *[]stored) []oidc.Client {
	all := slices.Clone(r.configured)
	if changes == nil {
		return all
	}
	for _, change := range *changes {
		client, err := change.client()
		if err != nil || change.Over != r.over(client.ClientID) {
			continue
		}
		if i := slices.IndexFunc(all, is(client.ClientID)); i >= 0 {
			all[i] = client
		} else {
			all = append(all, client)
		}
	}
	return all
}

func is(id string) func(oidc.Client) bool {
	return func(c oidc.Client) bool { return c.ClientID == id }
}

func newList(clients []oidc.Client) *list {
	l := &list{clients: clients, byID: map[string]oidc.Client{}}
	for _, client := range clients {
		l.byID[client.ClientID] = client
		for _, uri := range client.RedirectURIs {
			if origin := oidc.Origin(uri); origin != "" && !slices.Contains(l.origins, origin) {
				l.origins = append(l.origins, origin)
			}
		}
	}
	return l
}

// ErrUnknown is the answer about a client that is not registered.
var ErrUnknown = errors.New("clients: no such client")

// ByID returns the client with this client_id, or ErrUnknown.
func (r *Register) ByID(ctx context.Context, id string) (oidc.Client, error) {
	client, ok := r.now().byID[id]
	switch {
	case ok:
		return client, nil
	case r.Registered == nil || id == "":
		return oidc.Client{}, ErrUnknown
	}
	return r.Registered.ByID(ctx, id)
}

// All returns the clients: in the order of the configuration, then as they were added.
func (r *Register) All() []oidc.Client { return r.now().clients }

// Update puts what change makes of the client with this client_id in its place: found tells whether there is one. An
// error of change leaves everything as it is, and is returned. change may run again when another change came first.
func (r *Register) Update(
	ctx context.Context,
	id string,
	change func(old oidc.Client, found bool) (oidc.Client, error),
) error {
	return r.cell.Change(ctx, func(changes []stored) ([]stored, error) {
		all := r.with(&changes)
		var old oidc.Client
		i := slices.IndexFunc(all, is(id))
		if i >= 0 {
			old = all[i]
		}
		client, err := change(old, i >= 0)
		if err != nil {
			return nil, err
		}
		s := newStored(client, r.over(client.ClientID))
		if i := slices.IndexFunc(changes, func(s stored) bool { return s.Client.ClientID == client.ClientID }); i >= 0 {
			changes[i] = s
			return changes, nil
		}
		return append(changes, s), nil
	})
}

// Put adds the client, or replaces the one with its client_id.
func (r *Register) Put(ctx context.Context, client oidc.Client) error {
	return r.Update(ctx, client.ClientID, func(oidc.Client, bool) (oidc.Client, error) { return client, nil })
}

// AllowsOrigin tells whether origin, as a browser sends it, is that of a registered redirect URI: scripts of that
// origin may read the answers of the token endpoint and its neighbours (CORS). A loopback origin matches with any port,
// like the redirect URI itself.
func (r *Register) AllowsOrigin(ctx context.Context, origin string) bool {
	switch {
	case origin == "" || origin == "null":
		return false
	case oidc.MatchRedirectURI(r.now().origins, origin):
		return true
	case r.Registered == nil:
		return false
	}
	allowed, err := r.Registered.AllowsOrigin(ctx, origin)
	return allowed && err == nil // while the store does not answer, the origin is refused
}
