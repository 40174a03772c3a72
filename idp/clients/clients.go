// Package clients is the register of relying parties, with their keys, their web origins and their names for users.
//
//	configuration ─────────┐
//	                       ├──► list ──► ByID, All, AllowsOrigin
//	console ──► Update ────┘                │
//	                                        └──► Registered: the clients that registered themselves, a record each
//
//	Keys.Verify, Keys.EncryptIDToken ──► a key that fits ◄── jwks, or jwks_uri, which is fetched rarely
//
//	Subjects.Of      the user's sub for a client: the public one, or one of the client's sector (Core §8)
//	Subjects.Reveal  the user of such a sub
//
// In development mode the console adds and changes clients while the provider runs. Such a change is valid until the
// configuration of the same client changes. The setting any_client also lets clients in that are not registered.
//
// Where teaching ends: the store has no list of the clients that registered themselves, so neither All nor the console
// shows them. Fetched keys are cached for five minutes by each process, without regard to the caching headers of the
// answer. Nothing is encrypted with a client's secret (alg dir and A128KW), and RSA1_5 is left out: careless
// implementations of it have been broken (RFC 8725 §3.2). A lost pairwise_salt cannot be replaced: another salt gives
// every pairwise client new subs for all users.
package clients

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Lookup finds clients: a *Register, or a decorator of one.
type Lookup interface {
	// ByID returns the client with this client_id. For an unknown one the error is ErrUnknown; with an error the Client
	// is empty, never nil. Requests share the client, so the caller must not change it.
	ByID(ctx context.Context, clientID string) (*oidc.Client, error)
}

// Register holds the clients. Its methods may be called by many goroutines at once.
type Register struct {
	configured atomic.Pointer[[]oidc.Client]
	cell       *storage.Cell[[]stored]
	merged     atomic.Pointer[list]

	Registered   *Registered  // the clients that registered themselves; nil: registration is off
	Unregistered Unregistered // the clients that development mode lets in; nil: there are none
}

// Unregistered finds clients that are not registered, and that the setting any_client lets in. Package dev implements
// it.
type Unregistered interface {
	// ByID returns the client, which the caller must not change; nil: there is none.
	ByID(clientID string) *oidc.Client
	// AllowsOrigin tells whether scripts of the origin may read answers, as Register.AllowsOrigin does.
	AllowsOrigin(origin string) bool
	// All returns the clients, the one used last first.
	All() []oidc.Client
	// Reset forgets the clients.
	Reset()
}

// list is a snapshot of the register. It does not change.
type list struct {
	configured *[]oidc.Client // the configuration that it includes
	of         *[]stored      // the changes that it includes
	clients    []oidc.Client
	byID       map[string]*oidc.Client
	origins    []string // the origins of all redirect URIs
	exact      []string // the AllowedCORSOrigins of all clients
}

// New returns a register of the clients; their client_ids must differ. Its changes are lost when the process ends.
func New(configured []oidc.Client) *Register { return On(storage.Alone(), configured, nil, nil) }

// On returns a register of the configured, the registered and the unregistered clients. Changes of configured clients
// are stored in place.
func On(place storage.Place, configured []oidc.Client, registered *Registered, unregistered Unregistered) *Register {
	cell := storage.NewCell[[]stored](place, "console", "clients")
	r := &Register{cell: cell, Registered: registered, Unregistered: unregistered}
	r.configured.Store(&configured)
	return r
}

// Configure replaces the clients of the configuration. Requests that began before may still see the clients before.
func (r *Register) Configure(clients []oidc.Client) { r.configured.Store(&clients) }

// CatchUp reads the changes of other replicas, unless it did so a moment ago. An error leaves the register as it is.
func (r *Register) CatchUp(ctx context.Context) error { return r.cell.CatchUp(ctx) }

// now returns the list with the changes that were last read.
func (r *Register) now() *list {
	configured, changes, l := r.configured.Load(), r.cell.View(), r.merged.Load()
	if l == nil || l.of != changes || l.configured != configured {
		l = newList(with(*configured, changes))
		l.configured, l.of = configured, changes
		r.merged.Store(l)
	}
	return l
}

// with returns the configured clients with the changes.
func with(configured []oidc.Client, changes *[]stored) []oidc.Client {
	all := slices.Clone(configured)
	if changes == nil {
		return all
	}
	for _, change := range *changes {
		client, err := change.client()
		if err != nil || change.Over != over(configured, client.ClientID) {
			continue
		}
		switch i := slices.IndexFunc(all, is(client.ClientID)); {
		case change.Removed:
			all = slices.DeleteFunc(all, is(client.ClientID))
		case i >= 0:
			all[i] = client
		default:
			all = append(all, client)
		}
	}
	return all
}

func is(id string) func(oidc.Client) bool {
	return func(c oidc.Client) bool { return c.ClientID == id }
}

func newList(clients []oidc.Client) *list {
	l := &list{clients: clients, byID: map[string]*oidc.Client{}}
	for i, client := range clients {
		l.byID[client.ClientID] = &clients[i]
		l.exact = append(l.exact, client.AllowedCORSOrigins...)
		l.origins = append(l.origins, client.Origins()...)
	}
	return l
}

// ErrUnknown means that the client is not registered.
var ErrUnknown = errors.New("clients: no such client")

// ByID implements Lookup.
func (r *Register) ByID(ctx context.Context, id string) (*oidc.Client, error) {
	if client, ok := r.now().byID[id]; ok {
		return client, nil
	}
	if r.Unregistered != nil {
		if client := r.Unregistered.ByID(id); client != nil {
			return client, nil
		}
	}
	if r.Registered == nil || id == "" {
		return &oidc.Client{}, ErrUnknown
	}
	return r.Registered.ByID(ctx, id)
}

// All returns the clients: in the order of the configuration, then as they were added.
func (r *Register) All() []oidc.Client { return r.now().clients }

// Change returns the new client for an old one; found is false if there is no old one.
type Change func(old oidc.Client, found bool) (oidc.Client, error)

// Update changes the client with this client_id. An error of change is returned, and nothing changes. change runs again
// when another change came first.
func (r *Register) Update(ctx context.Context, id string, change Change) error {
	return r.cell.Change(ctx, func(changes []stored) ([]stored, error) {
		configured := *r.configured.Load()
		all := with(configured, &changes)
		var old oidc.Client
		i := slices.IndexFunc(all, is(id))
		if i >= 0 {
			old = all[i]
		}
		client, err := change(old, i >= 0)
		if err != nil {
			return nil, err
		}
		s := newStored(client, over(configured, client.ClientID))
		if i := slices.IndexFunc(changes, func(s stored) bool { return s.Client.ClientID == client.ClientID }); i >= 0 {
			changes[i] = s
			return changes, nil
		}
		return append(changes, s), nil
	})
}

// Remove removes the client with this client_id. It returns ErrUnknown if there is none. A configured client comes back
// when its configuration changes.
func (r *Register) Remove(ctx context.Context, id string) error {
	return r.cell.Change(ctx, func(changes []stored) ([]stored, error) {
		configured := *r.configured.Load()
		if !slices.ContainsFunc(with(configured, &changes), is(id)) {
			return nil, ErrUnknown
		}
		left := slices.DeleteFunc(slices.Clone(changes), func(s stored) bool { return s.Client.ClientID == id })
		if over := over(configured, id); over != "" {
			left = append(left, stored{Client: oidc.Client{ClientID: id}, Over: over, Removed: true})
		}
		return left, nil
	})
}

// Reset undoes all changes: the register has the configured clients again, and no unregistered ones.
func (r *Register) Reset(ctx context.Context) error {
	if r.Unregistered != nil {
		r.Unregistered.Reset()
	}
	return r.cell.Change(ctx, func([]stored) ([]stored, error) { return nil, nil })
}

// Put adds the client, or replaces the one with its client_id.
func (r *Register) Put(ctx context.Context, client oidc.Client) error {
	return r.Update(ctx, client.ClientID, func(oidc.Client, bool) (oidc.Client, error) { return client, nil })
}

// AllowsOrigin reports whether a registered redirect URI has the origin, or allowed_cors_origins of a client names it.
// Scripts of such an origin may read the answers of endpoints for programs (CORS). A loopback origin of a redirect URI
// matches with any port, like the redirect URI itself.
func (r *Register) AllowsOrigin(ctx context.Context, origin string) bool {
	switch {
	case origin == "" || origin == "null":
		return false
	case oidc.MatchRedirectURI(r.now().origins, origin), slices.Contains(r.now().exact, origin):
		return true
	case r.Unregistered != nil && r.Unregistered.AllowsOrigin(origin):
		return true
	case r.Registered == nil:
		return false
	}
	allowed, err := r.Registered.AllowsOrigin(ctx, origin)
	return allowed && err == nil // while the store does not answer, the origin is refused
}

// stored is the record of a client. It has the hash of the secret.
type stored struct {
	Client     oidc.Client `json:"client"`
	SecretHash string      `json:"secret_hash,omitempty"`
	Over       string      `json:"over,omitempty"` // the hash of the configured client that this one replaces
	Removed    bool        `json:"removed,omitempty"`
}

func newStored(client oidc.Client, over string) stored {
	s := stored{Client: client, SecretHash: client.ClientSecret.Hash(), Over: over}
	s.Client.ClientSecret = oidc.Secret{}
	return s
}

func (s stored) client() (client oidc.Client, err error) {
	client = s.Client
	client.ClientSecret, err = oidc.SecretFromHash(s.SecretHash)
	return client, err
}

// over is the hash of the configured client with this id; empty if there is none.
func over(configured []oidc.Client, id string) string {
	i := slices.IndexFunc(configured, is(id))
	if i < 0 {
		return ""
	}
	text, err := json.Marshal(newStored(configured[i], ""))
	if err != nil {
		panic(err) // every field of a client has a JSON form
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
