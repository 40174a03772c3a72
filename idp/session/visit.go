package session

import (
	"context"
	"slices"

	"github.com/hush-idp/hush/storage"
)

// maxClients is how many clients of one account are written down in a session. Whoever uses more in a day signs out of
// the oldest by themselves.
const maxClients = 100

// Visit writes down that the client gets a code for the account, once: for a client that is known already it costs no
// store operation. Back-Channel Logout §2.3: "OPs supporting back-channel logout need to keep track of the set of
// logged-in RPs so that they know what RPs to contact at their back-channel logout URIs to cause them to log out." An
// account that was signed out meanwhile stays so. https://openid.net/specs/openid-connect-backchannel-1_0.html#Tracking
func (m *Manager) Visit(ctx context.Context, s *Session, account Account, clientID string) error {
	if slices.Contains(account.Clients, clientID) {
		return nil
	}
	return m.Sessions.Update(ctx, s.ID, storage.KeepTTL, func(old *Session) (*Session, error) {
		i := -1
		if old != nil {
			i = slices.IndexFunc(old.Accounts, func(a Account) bool { return a.SID == account.SID })
		}
		if i >= 0 && !slices.Contains(old.Accounts[i].Clients, clientID) {
			clients := append(old.Accounts[i].Clients, clientID)
			old.Accounts[i].Clients = clients[max(0, len(clients)-maxClients):]
		}
		return old, nil
	})
}
