package idp

import (
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"sync"

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

// newLimits makes the limits of a configuration that was checked.
func newLimits(c limit.Config, around Dependencies, register *clients.Register) (l *limits, err error) {
	l = &limits{register: register, log: around.Log}
	if l.addresses, err = limit.NewAddresses(c.TrustedProxies); err != nil {
		return nil, err
	}
	if l.logins, err = limit.NewTable[netip.Prefix](
		c.Login.PerAddress, "sign-ins from this address", around.Now,
	); err != nil {
		return nil, err
	}
	if l.tokens, err = limit.NewTable[netip.Prefix](
		c.Token.PerAddress, "token requests from this address", around.Now,
	); err != nil {
		return nil, err
	}
	if l.clients, err = limit.NewTable[string](c.Token.PerClient, "tokens for this client", around.Now); err != nil {
		return nil, err
	}
	if l.registers, err = limit.NewTable[netip.Prefix](
		c.Registration.PerAddress, "registrations from this address", around.Now,
	); err != nil {
		return nil, err
	}
	if l.devices, err = limit.NewTable[netip.Prefix](
		c.Device.PerAddress, "wrong codes from this address", around.Now,
	); err != nil {
		return nil, err
	}
	l.passwords, err = limit.NewPasswords(c.Password, around.Now)
	return l, err
}

// login limits POST /login; of wrong passwords attempt knows more.
func (l *limits) login(r *http.Request) (done func(error), err error) {
	return nil, l.take(l.logins, r)
}

// registration limits requests that register or change a client.
func (l *limits) registration(r *http.Request) (done func(error), err error) {
	return nil, l.take(l.registers, r)
}

// token limits POST /token by address and by client. Of a client only the answers with tokens count: anybody can claim
// to be a client. A public client has no limit but that of each address: everybody who uses it shares its client_id.
func (l *limits) token(r *http.Request) (done func(error), err error) {
	if err := l.take(l.tokens, r); err != nil || l.clients == nil {
		return nil, err
	}
	id, err := claimedClient(r)
	if err != nil {
		return nil, err
	}
	if client, err := l.register.ByID(r.Context(), id); err == nil && client.Public() {
		return nil, nil
	}
	return func(err error) {
		if err == nil {
			_, _ = l.clients.Take(id) // the answer is on its way already
		}
	}, l.clients.Look(id)
}

// guesses limits wrong client secrets where an API may ask as often as it is asked itself: of its requests only those
// count that are answered with invalid_client, together with the address's token requests. RFC 6749 §2.3.1: "the
// authorization server MUST protect any endpoint utilizing it against brute force attacks".
func (l *limits) guesses(r *http.Request) (done func(error), err error) {
	if l.tokens == nil {
		return nil, nil
	}
	l.warnOfProxy(r)
	address := l.addresses.Of(r)
	return func(err error) {
		if err != nil && oidc.AsError(err).Code == oidc.InvalidClient {
			_, _ = l.tokens.Take(address) // the answer is on its way already
		}
	}, l.tokens.Look(address)
}

// take counts the request for its address.
func (l *limits) take(table *limit.Table[netip.Prefix], r *http.Request) error {
	if table == nil {
		return nil
	}
	l.warnOfProxy(r)
	_, err := table.Take(l.addresses.Of(r))
	return err
}

// claimedClient is who a token request says it comes from, as the token endpoint will read it: the header wins. A body
// that cannot be read is refused here, because it can be read only once.
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

// warnOfProxy says, once, that a proxy stands in front whose word is not taken: then all users share the limits of one.
func (l *limits) warnOfProxy(r *http.Request) {
	if proxy, is := l.addresses.Unheard(r); is {
		l.warn.Do(func() {
			l.log.Warn("requests come through a proxy that is not trusted, so all its users count as one address: "+
				"if it is yours, name it in limits.trusted_proxies", "proxy", proxy.String())
		})
	}
}
