package idp

import (
	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/storage"
)

func (p *site) newAuthorize(s Parts, interactions session.Seal[session.Interaction]) *authorize.Endpoint {
	hints := &access.Hints{Issuer: p.config.Issuer, Keys: p.keys, Clients: p.clients, Subjects: p.subjects}
	return &authorize.Endpoint{
		Issuer: p.config.Issuer, Scopes: p.config.KnownScope(), Resources: knownResources(p.config), Levels: p.config.ACRValues,
		Release: release(p.config.Scopes), Clients: s.Clients, Sessions: s.Recognise, Grants: s.Grants, Consents: s.Consents,
		Auth: p.clientAuth, Proofs: p.dpop, Users: p.users, Subjects: p.subjects, Hints: hints, Browsers: p.sessions,
		Interactions: interactions,
		Objects: &authorize.ObjectReader{
			Issuer: p.config.Issuer, Keys: p.clientKeys, Fetch: p.fetch, Now: p.deps.Now,
		},
		Pushed: &authorize.PushedRequests{
			Records:  storage.NewBucket[authorize.PushedRequest]("par", p.deps.Store),
			Lifetime: p.config.PAR.Lifetime, Now: p.deps.Now, Random: p.deps.Random,
		},
		Keys: p.keys, DefaultAlg: keys.DefaultAlg(p.config.SigningKeys), Pages: p.pages, Errors: p.errors(),
		Limit: p.limits.Token, Now: p.deps.Now, Random: p.deps.Random,
	}
}

// release is what the configuration says about claims.
func release(custom []Scope) userinfo.Release {
	scopes := map[string][]string{}
	for _, scope := range custom {
		scopes[scope.Name] = scope.Claims
	}
	return userinfo.Release{Scopes: scopes}
}
