package idp

import (
	"context"
	"errors"

	"github.com/hush-idp/hush/idp/clients"
)

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
