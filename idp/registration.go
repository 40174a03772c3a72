package idp

import (
	"errors"

	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/session"
)

// openRegister adds the clients that registered themselves to the register.
func (h *shared) openRegister(config Config) error {
	if !config.Registration.Enabled() {
		return nil
	}
	seal, err := keys.NewSealFor("hush: client secrets", h.cookieKeys)
	if err != nil {
		return err
	}
	h.clients.Registered = clients.NewRegistered(h.deps.Store, seal, h.deps.Now)
	return nil
}

// InitialAccessToken makes a token that lets its bearer register clients for a day, at every provider that has the first of
// CookieKeys. The error says why it cannot be made.
func InitialAccessToken(c Config) (string, error) {
	switch {
	case len(c.CookieKeys) == 0:
		return "", errors.New("cookie_keys are missing: the token is signed with the first of them, " +
			"and keys that the provider makes at start are known to that process only")
	case c.Registration.Mode == registration.ModeOff:
		return "", errors.New("registration.mode is off: set it to token, and the provider accepts the tokens of this command")
	}
	seal := ticketSeal(session.Codecs(cookieKeys(c.CookieKeys, nil), interactionKept))
	return registration.InitialAccessToken(seal)
}

// ticketSeal seals initial access tokens.
func ticketSeal(codecs []securecookie.Codec) session.Seal[registration.Ticket] {
	return session.Seal[registration.Ticket]{Purpose: registration.SealPurpose, Codecs: codecs}
}
