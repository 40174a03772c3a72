package idp

import (
	"context"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/session"
)

// openBackchannel makes the sender of logout tokens.
func (h *shared) openBackchannel(config Config) {
	h.backchannel = logout.NewSender(logout.SenderConfig{
		Clients: h.clients, Subjects: h.subjects, ClientKeys: h.clientKeys, Keys: h.keys,
		DefaultAlg: keys.DefaultAlg(config.SigningKeys), Fetch: h.fetch, Log: h.deps.Log, Observer: h.deps.Development,
		Pauses: logout.Pauses(), Now: h.deps.Now, Random: h.deps.Random,
	})
}

// Close ends what the provider does in the background. Logout tokens that wait for another attempt are sent a last time; Close
// waits for that until ctx ends.
func (p *Provider) Close(ctx context.Context) { p.backchannel.Close(ctx) }

// SignedOut sends logout tokens to the clients of sign-ins that ended. It returns when each was tried once, or ctx ends.
func (p *Provider) SignedOut(ctx context.Context, ended []session.Ended) []logout.Sent {
	return p.backchannel.SendAndWait(ctx, p.first.config.Issuer, ended)
}

// signedOut does not wait.
func (p *site) signedOut(ctx context.Context, ended []session.Ended) {
	p.backchannel.Send(ctx, p.config.Issuer, ended)
}
