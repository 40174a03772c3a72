package idp

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// pathRegister is the client registration endpoint (RFC 7591 §3); below it is each client's configuration endpoint (RFC 7592 §2).
const pathRegister = "/register"

// openRegister lets the clients count that registered themselves.
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

func (p *site) openRegistration() {
	if !p.config.Registration.Enabled() {
		return
	}
	p.registration = &registration.Endpoint{
		Address: p.config.Issuer + pathRegister, Admit: p.admit, Clients: p.clients.Registered, Fetch: p.fetch,
		Metadata: p.metadata, SigningAlg: keys.DefaultAlg(p.config.SigningKeys), Development: p.config.Loopback(), Random: p.deps.Random,
	}
}

func (p *site) registerClient(c echo.Context) error {
	information, err := p.registration.Register(c.Request())
	return answerClient(c, http.StatusCreated, information, err)
}

func (p *site) readClient(c echo.Context) error {
	information, err := p.registration.Read(c.Request(), c.Param("client_id"))
	return answerClient(c, http.StatusOK, information, err)
}

func (p *site) updateClient(c echo.Context) error {
	information, err := p.registration.Update(c.Request(), c.Param("client_id"))
	return answerClient(c, http.StatusOK, information, err)
}

func (p *site) deleteClient(c echo.Context) error {
	if err := p.registration.Delete(c.Request(), c.Param("client_id")); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

func answerClient(c echo.Context, status int, information registration.Information, err error) error {
	if err != nil {
		return err
	}
	c.Response().Header().Set("Pragma", "no-cache") // as the examples of RFC 7591 §3.2.1
	return c.JSON(status, information)
}

// challenged adds WWW-Authenticate where a token is missing or wrong (RFC 6750 §3).
func (p *site) challenged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		err := next(c)
		if err == nil {
			return nil
		}
		challenge := fmt.Sprintf("Bearer realm=%q", p.config.Issuer)
		if e := p.errors().Explain(err); err != registration.ErrNoToken {
			challenge += fmt.Sprintf(", error=%q, error_description=%q", e.Code, e.Description)
		}
		if oidc.AsError(err).Code == oidc.InvalidToken {
			c.Response().Header().Set("WWW-Authenticate", challenge)
		}
		return err
	}
}

// ticket is what a minted initial access token says: nothing, since its age is sealed with it.
type ticket struct{}

const forRegistration = "registration"

// InitialAccessToken makes a token that lets its bearer register clients for a day, at every provider that has the first of
// CookieKeys. The error says why there cannot be one.
func InitialAccessToken(c Config) (string, error) {
	switch {
	case len(c.CookieKeys) == 0:
		return "", fmt.Errorf("cookie_keys are missing: the token is signed with the provider's, and one that the provider makes at start nobody else knows")
	case c.Registration.Mode == registration.ModeOff:
		return "", fmt.Errorf("registration.mode is off: set it to token, and the provider takes what this command makes")
	}
	seal := session.Seal[ticket]{Purpose: forRegistration, Codecs: session.Codecs(cookieKeys(c.CookieKeys, nil), interactionKept)}
	return seal.Close(ticket{})
}

// admit judges an initial access token; "" is none.
func (p *site) admit(token string) (trusted bool, err error) {
	if token == "" && p.config.Registration.Mode == registration.ModeOpen {
		return false, nil
	}
	if token == "" {
		return false, registration.ErrNoToken
	}
	for _, known := range p.config.Registration.InitialAccessTokens {
		trusted = known.Matches(token) || trusted
	}
	if _, err := (session.Seal[ticket]{Purpose: forRegistration, Codecs: p.seals}).Open(token); err == nil {
		trusted = true
	}
	if !trusted {
		return false, oidc.InvalidToken.Errorf("the initial access token is not known, or too old: ask who runs this provider for one")
	}
	return true, nil
}
