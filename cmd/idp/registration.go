package main

import (
	"fmt"

	"github.com/hush-idp/hush/idp"
)

type registrationTokenCommand struct{ flags }

// Run prints an initial access token (RFC 7591 §3): who sends it to /register may register clients for a day. It is signed with the
// provider's cookie key, so it needs neither the provider nor its store.
func (c registrationTokenCommand) Run() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if err := s.takeUp(); err != nil {
		return err
	}
	token, err := idp.InitialAccessToken(s.Config)
	if err != nil {
		return err
	}
	fmt.Println(token)
	return nil
}
