package idp

import (
	"reflect"

	"github.com/hush-idp/hush/idp/limit"
)

// Reload applies the users, clients, scopes and limits of another configuration; it ignores all other settings. They
// get their defaults from the settings that the provider runs with: so config is best one without defaults, such as the
// text of a file says. When they do not fit these settings, Reload returns Problems, and nothing changes. Requests that
// have begun are served as before.
//
// The store, the keys, the sessions and the trace stay. Counts of limits stay unless the limits differ. Users and
// clients that were added at run time stay too, and a user who is gone from the configuration is signed out.
func (p *Provider) Reload(config Config) error {
	p.turn.Lock()
	defer p.turn.Unlock()
	before := p.sites.Load()
	next := *p.common
	next.config, next.limits = before.config, before.limits
	next.config.Users, next.config.Clients = config.Users, config.Clients
	next.config.Scopes, next.config.Limits = config.Scopes, config.Limits
	next.config = next.config.WithDefaults()
	if err := Validate(next.config); err != nil {
		return err
	}
	if !reflect.DeepEqual(next.config.Limits, before.config.Limits) {
		limits, err := limit.New(next.config.Limits, p.deps.Now, p.deps.Log, p.clients)
		if err != nil {
			return err
		}
		next.limits = limits
	}
	if err := p.users.Configure(next.config.Users); err != nil {
		return err
	}
	p.clients.Configure(next.config.Clients)
	p.sites.Store(next.sites())
	return nil
}
