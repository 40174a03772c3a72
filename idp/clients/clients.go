// Package clients is the register of relying parties: who they are by client_id, and which web origins are theirs.
//
// Where teaching ends: the register is read from the configuration. A provider with dynamic registration (RFC 7591) keeps
// it in the store.
package clients

import (
	"slices"

	"github.com/hush-idp/hush/oidc"
)

// Register holds the clients. It does not change after New.
type Register struct {
	clients []oidc.Client
	byID    map[string]oidc.Client
	origins []string // of all redirect URIs
}

// New returns a register of the clients, whose client_ids differ.
func New(clients []oidc.Client) *Register {
	r := &Register{clients: clients, byID: map[string]oidc.Client{}}
	for _, client := range clients {
		r.byID[client.ClientID] = client
		for _, uri := range client.RedirectURIs {
			if origin := oidc.Origin(uri); origin != "" && !slices.Contains(r.origins, origin) {
				r.origins = append(r.origins, origin)
			}
		}
	}
	return r
}

// ByID returns the client with this client_id.
func (r *Register) ByID(id string) (oidc.Client, bool) {
	client, ok := r.byID[id]
	return client, ok
}

// All returns the clients in the order of the configuration.
func (r *Register) All() []oidc.Client { return r.clients }

// AllowsOrigin tells whether origin, as a browser sends it, is that of a registered redirect URI: scripts of that origin
// may read the answers of the token endpoint and its neighbours (CORS). A loopback origin matches with any port, like the
// redirect URI itself.
func (r *Register) AllowsOrigin(origin string) bool {
	return origin != "" && origin != "null" && oidc.MatchRedirectURI(r.origins, origin)
}
