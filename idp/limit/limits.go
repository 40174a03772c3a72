package limit

import (
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// Limits are all limits of a provider. Login, Registration, Token and Guesses return nil for no limit.
type Limits struct {
	Addresses  *Addresses
	Passwords  *Passwords
	WrongCodes *Table[netip.Prefix] // user codes at /device

	logins        *Table[netip.Prefix]
	registrations *Table[netip.Prefix]
	tokens        *Table[netip.Prefix]
	pushes        *Table[netip.Prefix]
	clients       *Table[string]
	register      *clients.Register

	log  *slog.Logger
	warn sync.Once
}

// New returns the limits of c. Public clients of the register have no limit of their own.
func New(
	c Config, now func() time.Time, log *slog.Logger, register *clients.Register,
) (*Limits, error) {
	var errs [8]error
	l := &Limits{register: register, log: log}
	l.Addresses, errs[0] = NewAddresses(c.TrustedProxies)
	l.Passwords, errs[1] = NewPasswords(c.Password, now)
	l.WrongCodes, errs[2] = NewTable[netip.Prefix](c.Device.PerAddress, "wrong codes from this address", now)
	l.logins, errs[3] = NewTable[netip.Prefix](c.Login.PerAddress, "sign-ins from this address", now)
	l.registrations, errs[4] = NewTable[netip.Prefix](c.Registration.PerAddress, "registrations from this address", now)
	l.tokens, errs[5] = NewTable[netip.Prefix](c.Token.PerAddress, "token requests from this address", now)
	l.clients, errs[6] = NewTable[string](c.Token.PerClient, "tokens for this client", now)
	l.pushes, errs[7] = NewTable[netip.Prefix](c.Push.PerAddress, "pushed requests and devices from this address", now)
	return l, errors.Join(errs[:]...)
}

// By is an endpoint.Limit. It runs before a request is served, and its error is the answer. done, which may be nil,
// gets the result of the request. A nil By limits nothing.
type By = func(r *http.Request) (done func(error), err error)

// Login limits sign-ins by address. Passwords also limits wrong passwords.
func (l *Limits) Login() By { return l.perAddress(l.logins) }

// Registration limits requests that register or change a client, by address.
func (l *Limits) Registration() By { return l.perAddress(l.registrations) }

// Token limits token requests by address and by client. Only answers with tokens count for a client, because anybody
// can send its client_id. A public client has no limit of its own, because all its users share its client_id.
func (l *Limits) Token() By {
	perAddress := l.perAddress(l.tokens)
	if l.clients == nil {
		return perAddress
	}
	return func(r *http.Request) (done func(error), err error) {
		if perAddress != nil {
			if _, err := perAddress(r); err != nil {
				return nil, err
			}
		}
		id, err := clientauth.Confidential(r, l.register)
		if err != nil || id == "" {
			return nil, err
		}
		return func(err error) {
			if err == nil {
				_, _ = l.clients.Take(id) // the answer is written already
			}
		}, l.clients.Look(id)
	}
}

// Push limits pushed requests, and requests of devices, as Token does. Those of public clients also have a lower limit
// by address, because each is stored, and anybody can send its client_id.
func (l *Limits) Push() By {
	token := l.Token()
	if l.pushes == nil {
		return token
	}
	return func(r *http.Request) (done func(error), err error) {
		if token != nil {
			if done, err = token(r); err != nil {
				return nil, err
			}
		}
		id, err := clientauth.Confidential(r, l.register)
		if err == nil && id == "" {
			_, err = l.pushes.Take(l.Addresses.Of(r))
		}
		return done, err
	}
}

// Guesses limits wrong client secrets at endpoints that an API may call for each of its own requests. Only answers with
// invalid_client count. They count together with the token requests of the address. RFC 6749 §2.3.1: "the authorization
// server MUST protect any endpoint utilizing it against brute force attacks".
func (l *Limits) Guesses() By {
	if l.tokens == nil {
		return nil
	}
	return func(r *http.Request) (done func(error), err error) {
		l.warnOfProxy(r)
		address := l.Addresses.Of(r)
		return func(err error) {
			if err != nil && oidc.AsError(err).Code == oidc.InvalidClient {
				_, _ = l.tokens.Take(address) // the answer is written already
			}
		}, l.tokens.Look(address)
	}
}

func (l *Limits) perAddress(table *Table[netip.Prefix]) By {
	if table == nil {
		return nil
	}
	return func(r *http.Request) (done func(error), err error) {
		l.warnOfProxy(r)
		_, err = table.Take(l.Addresses.Of(r))
		return nil, err
	}
}

// warnOfProxy logs once that an untrusted proxy seems to forward requests. All users of such a proxy share the limits
// of one address.
func (l *Limits) warnOfProxy(r *http.Request) {
	if proxy, is := l.Addresses.Unheard(r); is {
		l.warn.Do(func() {
			l.log.Warn("requests come through a proxy that is not trusted, so all its users count as one address: "+
				"if it is yours, name it in limits.trusted_proxies", "proxy", proxy.String())
		})
	}
}
