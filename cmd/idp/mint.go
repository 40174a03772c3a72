package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

type tokenCommand struct {
	flags
	User   string `arg:"" help:"Username or email of a configured user."`
	Client string `arg:"" help:"client_id of a configured client."`
}

// Run prints an access token that the provider with the same settings takes for its own: it is signed with that one's key.
// Nobody signed in for it, so it names no session, and no sign-out ends it.
func (c tokenCommand) Run() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	claims, err := s.claimsFor(c.User, c.Client, time.Now())
	if err != nil {
		return err
	}
	ring, done, err := s.signer(context.Background())
	if err != nil {
		return err
	}
	defer done()
	signed, err := ring.Sign("", keys.TypeAccessToken, claims)
	if err != nil {
		return err
	}
	fmt.Println(signed)
	return nil
}

// signer is a ring with the provider's default key: from its file if it has one, else from the store.
func (s *settings) signer(ctx context.Context) (*keys.Ring, func(), error) {
	if specs := s.SigningKeys[:1]; specs[0].File != "" {
		ring, err := keys.New(specs)
		return ring, func() {}, err
	}
	store, err := s.openShared(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("the key that signs is in the provider's store, unless signing_keys names a file: %w", err)
	}
	ring, err := s.ring(store)
	return ring, store.close, err
}

// claimsFor are those that the client would get for the user and everything it may ask for. acr is "0" and amr what a
// sign-in by one click has: nobody proved who they are (Core §2).
func (s *settings) claimsFor(username, clientID string, now time.Time) (access.Token, error) {
	if !s.Loopback() {
		return access.Token{}, fmt.Errorf("issuer: %s is not an address of this machine, and tokens that nobody signed in for are made for development only: "+
			"get one by signing in", s.Issuer)
	}
	directory, err := users.New(s.Users)
	if err != nil {
		return access.Token{}, err
	}
	user, ok := directory.ByName(username)
	if !ok {
		return access.Token{}, fmt.Errorf("user %.50q is not configured: `idp check` lists who is", username)
	}
	i := slices.IndexFunc(s.Clients, func(c oidc.Client) bool { return c.ClientID == clientID })
	if i < 0 {
		return access.Token{}, fmt.Errorf("client %.50q is not configured: `idp check` lists those that are", clientID)
	}
	client := s.Clients[i]
	return access.Token{
		Issuer: s.Issuer, Subject: user.Sub, Audience: oidc.Audience{cmp.Or(client.Audience, s.Audience)}, ClientID: clientID,
		IssuedAt: now.Unix(), Expiry: now.Add(cmp.Or(client.AccessTokenLifetime, oidc.DefaultTokenLifetime)).Unix(),
		Scope: client.AllowedScope(s.KnownScope()).String(), AuthTime: now.Unix(), ACR: "0", AMR: []string{"user"},
		JTI: rand.Text(), GrantID: rand.Text(),
	}, nil
}
