package idp

import (
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/storage"
)

// openClientAuth makes the one who finds out which client is asking, wherever clients ask by themselves.
func (p *site) openClientAuth(clients clientauth.Clients) {
	p.clientAuth = &clientauth.Authenticator{
		Issuer: p.config.Issuer, TokenEndpoint: p.config.Issuer + pathToken, Clients: clients, Keys: p.clientKeys,
		Assertions: storage.NewBucket[time.Time]("assertion", p.deps.Store), Now: p.deps.Now,
	}
}
