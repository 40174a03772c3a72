package idp

import (
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/fetch"
)

// openFetch makes the one way out, and what finds the keys of clients by it.
func (h *shared) openFetch(config Config) (err error) {
	if h.fetch, err = fetch.New(config.Fetch); err != nil {
		return err
	}
	h.clientKeys = clients.NewKeys(h.fetch.Get, fetch.Why, h.deps.Now)
	return nil
}
