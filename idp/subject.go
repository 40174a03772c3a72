package idp

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// leastSalt is what makes a pairwise sub impossible to guess back.
const leastSalt = 32

// withSalt fills in the salt of pairwise subs: on a loopback issuer one that survives a restart, for nobody is to be hidden there.
func (c Config) withSalt() Config {
	if c.Loopback() {
		c.PairwiseSalt = cmp.Or(c.PairwiseSalt, "the salt of a provider for development at "+c.Issuer)
	}
	return c
}

// checkSubjects: a pairwise client needs a salt, and a sector (Core §8.1).
func (c Config) checkSubjects(p *Problems) {
	p.when(c.PairwiseSalt != "" && len(c.PairwiseSalt) < leastSalt, "pairwise_salt",
		"has %d characters; write %d or more random ones (openssl rand -hex 32), and never change it: all pairwise subs depend on it", len(c.PairwiseSalt), leastSalt)
	for i, client := range c.Clients {
		if client.SubjectType != oidc.SubjectPairwise {
			continue
		}
		at := fmt.Sprintf("clients[%d].subject_type", i)
		p.when(c.PairwiseSalt == "", at, "is pairwise, which needs a pairwise_salt: write one (openssl rand -hex 32)")
		_, err := clients.Sector(client)
		p.when(err != nil, at, "%v", err)
	}
}

// localSubject is the sub of the user whom the client calls so, "" for nobody of ours.
func (p *site) localSubject(ctx context.Context, clientID, shown string) (string, error) {
	client, err := p.clients.ByID(ctx, clientID)
	if errors.Is(err, clients.ErrUnknown) {
		return shown, nil // a client of before: its hint says whom it is about all the same, unless it was pairwise
	}
	if err != nil {
		return "", err
	}
	return p.subjects.Reveal(client, shown)
}
