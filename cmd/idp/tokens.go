package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// printToken prints an access token that the provider with the same settings accepts: it is signed with the provider's
// key. It belongs to no sign-in, so it names no session, and no sign-out ends it. The arguments are the username or
// email address of a configured user, and the client_id of a configured client.
func (s *settings) printToken(args []string) error {
	claims, typ, err := s.claimsFor(args[0], args[1], time.Now())
	if err != nil {
		return err
	}
	sign := func(ctx context.Context, signing *keys.KeySet) error {
		signed, err := signing.Sign(ctx, "", typ, claims)
		if err == nil {
			fmt.Println(signed)
		}
		return err
	}
	if specs := s.SigningKeys[:1]; specs[0].File != "" {
		signing, err := keys.New(specs, time.Now)
		if err != nil {
			return err
		}
		return sign(context.Background(), signing)
	}
	if err := s.withKeys(sign); err != nil {
		return fmt.Errorf("the key that signs is in the provider's store, unless signing_keys names a file: %w", err)
	}
	return nil
}

// claimsFor returns the claims and the typ of a token with every scope that the client may ask for. acr is "0" and amr
// that of a sign-in by one click, because no user was authenticated (Core §2).
func (s *settings) claimsFor(username, clientID string, now time.Time) (claims access.Extended, typ string, err error) {
	if !s.Loopback() {
		return claims, "", fmt.Errorf("issuer: %s is not an address of this machine, and this command makes tokens "+
			"for development only: get one by signing in", s.Issuer)
	}
	directory, err := users.New(s.Users)
	if err != nil {
		return claims, "", err
	}
	user, ok := directory.ByName(username)
	if !ok {
		return claims, "", fmt.Errorf("user %.50q is not configured: `idp check` lists the users", username)
	}
	i := slices.IndexFunc(s.Clients, func(c oidc.Client) bool { return c.ClientID == clientID })
	if i < 0 {
		return claims, "", fmt.Errorf("client %.50q is not configured: `idp check` lists the clients", clientID)
	}
	client := s.Clients[i]
	claims.Token = access.Token{
		Issuer: s.Issuer, Subject: user.Sub, Audience: oidc.Audience{cmp.Or(client.Audience, s.Audience)}, ClientID: clientID,
		IssuedAt: now.Unix(), Expiry: now.Add(cmp.Or(client.AccessTokenLifetime, oidc.DefaultTokenLifetime)).Unix(),
		Scope: client.AllowedScope(s.KnownScope()).String(), AuthTime: now.Unix(), ACR: "0", AMR: []string{"user"},
		JTI: rand.Text(), GrantID: rand.Text(),
	}
	tokens := access.Tokens{Users: directory, Release: s.Release()}
	claims.More = tokens.More(&client, claims.Token)
	return claims, cmp.Or(client.AccessTokenType, keys.TypeAccessToken), nil
}

// printRegistrationToken prints an initial access token (RFC 7591 §3): it lets its bearer register clients at /register
// for a day. It is signed with the provider's cookie key, so the command needs neither the provider nor its store.
func (s *settings) printRegistrationToken([]string) error {
	if err := s.findSecret(); err != nil {
		return err
	}
	token, err := idp.InitialAccessToken(s.Config, time.Now)
	if err == nil {
		fmt.Println(token)
	}
	return err
}
