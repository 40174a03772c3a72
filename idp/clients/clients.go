// Package clients is the register of relying parties: who they are by client_id, and which web origins are theirs.
//
// The configuration fills it; in development mode the console adds and changes clients while the provider runs.
//
// Where teaching ends: what was added at run time is gone with the process. A provider with dynamic registration (RFC 7591)
// keeps it in the store.
package clients

import (
	"slices"
	"sync/atomic"

	"github.com/hush-idp/hush/oidc"
)

// Register holds the clients. Its methods may be called by many goroutines at once.
type Register struct{ list atomic.Pointer[list] }

// list is the register as it is at one moment. It does not change.
type list struct {
	clients []oidc.Client
	byID    map[string]oidc.Client
	origins []string // of all redirect URIs
}

// New returns a register of the clients, whose client_ids differ.
func New(clients []oidc.Client) *Register {
	r := &Register{}
	r.list.Store(newList(clients))
	return r
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

// ByID returns the client with this client_id.
func (r *Register) ByID(id string) (oidc.Client, bool) {
	client, ok := r.list.Load().byID[id]
	return client, ok
}

// All returns the clients: in the order of the configuration, then as they were added.
func (r *Register) All() []oidc.Client { return r.list.Load().clients }

// Update puts what change makes of the client with this client_id in its place: found tells whether there is one. A nil
// result leaves everything as it is. change may run again when another change came first.
func (r *Register) Update(id string, change func(old oidc.Client, found bool) *oidc.Client) {
	for {
		before := r.list.Load()
		old, found := before.byID[id]
		client := change(old, found)
		if client == nil {
			return
		}
		if r.list.CompareAndSwap(before, newList(before.with(*client))) {
			return
		}
	}
}

// Put adds the client, or replaces the one with its client_id.
func (r *Register) Put(client oidc.Client) {
	r.Update(client.ClientID, func(oidc.Client, bool) *oidc.Client { return &client })
}

// with is a copy of the clients with this one in the place of the one with its client_id, or at the end.
func (l *list) with(client oidc.Client) []oidc.Client {
	clients := slices.Clone(l.clients)
	i := slices.IndexFunc(clients, func(c oidc.Client) bool { return c.ClientID == client.ClientID })
	if i < 0 {
		return append(clients, client)
	}
	clients[i] = client
	return clients
}

// AllowsOrigin tells whether origin, as a browser sends it, is that of a registered redirect URI: scripts of that origin
// may read the answers of the token endpoint and its neighbours (CORS). A loopback origin matches with any port, like the
// redirect URI itself.
func (r *Register) AllowsOrigin(origin string) bool {
	return origin != "" && origin != "null" && oidc.MatchRedirectURI(r.list.Load().origins, origin)
}
