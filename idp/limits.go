package idp

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/oidc"
)

// limits are the house's: how often an address, a client or a user may ask.
type limits struct {
	addresses *limit.Addresses
	logins    *limit.Table[netip.Prefix]
	tokens    *limit.Table[netip.Prefix]
	clients   *limit.Table[string] // confidential ones
	registers *limit.Table[netip.Prefix]
	devices   *limit.Table[netip.Prefix] // wrong codes
	passwords *limit.Passwords
	register  *clients.Register

	log  *slog.Logger
	warn sync.Once
}

// checkLimits adds what is wrong with limits: to the problems.
func checkLimits(c limit.Config, p *Problems) {
	c.Check(func(path, text string) { p.when(true, "limits."+path, "%s", text) })
}

// newLimits makes the limits of a configuration that was checked.
func newLimits(c limit.Config, around Surroundings, register *clients.Register) (l *limits, err error) {
	l = &limits{register: register, log: around.Log}
	if l.addresses, err = limit.NewAddresses(c.TrustedProxies); err != nil {
		return nil, err
	}
	if l.logins, err = limit.NewTable[netip.Prefix](c.Login.PerAddress, "sign-ins from this address", around.Now); err != nil {
		return nil, err
	}
	if l.tokens, err = limit.NewTable[netip.Prefix](c.Token.PerAddress, "token requests from this address", around.Now); err != nil {
		return nil, err
	}
	if l.clients, err = limit.NewTable[string](c.Token.PerClient, "tokens for this client", around.Now); err != nil {
		return nil, err
	}
	if l.registers, err = limit.NewTable[netip.Prefix](c.Registration.PerAddress, "registrations from this address", around.Now); err != nil {
		return nil, err
	}
	if l.devices, err = limit.NewTable[netip.Prefix](c.Device.PerAddress, "wrong codes from this address", around.Now); err != nil {
		return nil, err
	}
	l.passwords, err = limit.NewPasswords(c.Password, around.Now)
	return l, err
}

// login limits POST /login; of wrong passwords attempt knows more.
func (l *limits) login(next echo.HandlerFunc) echo.HandlerFunc { return l.perAddress(l.logins, next) }

// registration limits who registers or changes a client.
func (l *limits) registration(next echo.HandlerFunc) echo.HandlerFunc {
	return l.perAddress(l.registers, next)
}

// token limits POST /token, by address and by client.
func (l *limits) token(next echo.HandlerFunc) echo.HandlerFunc {
	return l.perAddress(l.tokens, l.perClient(next))
}

// guesses limits wrong client secrets where an API may ask as often as it is asked itself: of its requests only those count that
// are answered with invalid_client, together with the address's token requests. RFC 6749 §2.3.1: "the authorization server MUST
// protect any endpoint utilizing it against brute force attacks".
func (l *limits) guesses(next echo.HandlerFunc) echo.HandlerFunc {
	if l.tokens == nil {
		return next
	}
	return func(c echo.Context) error {
		l.warnOfProxy(c.Request())
		address := l.addresses.Of(c.Request())
		if err := l.tokens.Look(address); err != nil {
			return err
		}
		err := next(c)
		if err != nil && oidc.AsError(err).Code == oidc.InvalidClient {
			_, _ = l.tokens.Take(address) // the answer is on its way already
		}
		return err
	}
}

// attempt is asked before a password is compared; see login.Endpoint.
func (l *limits) attempt(r *http.Request, username string) (succeeded func(), err error) {
	return l.passwords.Attempt(l.addresses.Of(r), username)
}

func (l *limits) perAddress(table *limit.Table[netip.Prefix], next echo.HandlerFunc) echo.HandlerFunc {
	if table == nil {
		return next
	}
	return func(c echo.Context) error {
		l.warnOfProxy(c.Request())
		if _, err := table.Take(l.addresses.Of(c.Request())); err != nil {
			return err
		}
		return next(c)
	}
}

// perClient counts the answers with tokens. Anybody can claim to be a client, so what was refused counts for nobody. A public
// client is everybody who uses it, so one of them could use up the tokens of all: it has no limit but that of each address.
func (l *limits) perClient(next echo.HandlerFunc) echo.HandlerFunc {
	if l.clients == nil {
		return next
	}
	return func(c echo.Context) error {
		id, err := claimedClient(c.Request())
		if err != nil {
			return err
		}
		if client, err := l.register.ByID(c.Request().Context(), id); err == nil && client.Public() {
			return next(c)
		}
		if err := l.clients.Look(id); err != nil {
			return err
		}
		if err := next(c); err != nil {
			return err
		}
		_, _ = l.clients.Take(id) // the answer is on its way already
		return nil
	}
}

// claimedClient is who a token request says it comes from, as the token endpoint will read it: the header wins. A body that
// cannot be read is refused here, because it can be read only once.
func claimedClient(r *http.Request) (string, error) {
	if user, _, ok := r.BasicAuth(); ok {
		id, _ := url.QueryUnescape(user) // the endpoint says what is wrong with it
		return id, nil
	}
	if err := r.ParseForm(); err != nil {
		return "", oidc.InvalidRequest.Errorf("the form in the body cannot be read: %s", oidc.FormFault(err)).Because(err)
	}
	return clientauth.ClaimedID(r.PostForm), nil
}

// tooMany tells whether err is that of a limit, and then gives the answer its headers. RFC 6585 §4: the response "MAY include
// a Retry-After header indicating how long to wait", and "MUST NOT be stored by a cache".
func tooMany(c echo.Context, err error) bool {
	exceeded, ok := errors.AsType[*limit.Exceeded](err)
	if ok {
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(exceeded.RetryAfter()))
	}
	return ok
}

// warnOfProxy says, once, that a proxy stands in front whose word is not taken: then all users share the limits of one.
func (l *limits) warnOfProxy(r *http.Request) {
	if proxy, is := l.addresses.Unheard(r); is {
		l.warn.Do(func() {
			l.log.Warn("requests come through a proxy that is not trusted, so all its users count as one address: "+
				"if it is yours, name it in limits.trusted_proxies", "proxy", proxy.String())
		})
	}
}
