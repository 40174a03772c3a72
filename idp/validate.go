package idp

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Problem is one thing wrong with a configuration: where, as a path like clients[1].redirect_uris[0], and what was wrong,
// what was expected and what to do.
type Problem struct{ Path, Text string }

func (p Problem) String() string { return p.Path + ": " + p.Text }

// Problems is a configuration's whole list, as one error.
type Problems []Problem

// Error implements error, a line a problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Validate returns Problems that say all that is wrong with a configuration completed by WithDefaults, or nil.
func (c Config) Validate() error {
	var p Problems
	c.checkIssuer(&p)
	c.checkConsole(&p)
	c.checkKeys(&p)
	c.checkLifetimes(&p)
	c.checkScopes(&p)
	c.checkRequests(&p)
	c.checkAliases(&p)
	c.checkRefresh(&p)
	c.checkResources(&p)
	c.checkUsers(&p)
	c.checkClients(&p)
	checkLimits(c.Limits, &p)
	c.checkRegistration(&p)
	c.checkSubjects(&p)
	c.checkFetch(&p)
	c.checkSchedule(&p)
	c.checkUserinfoAlgs(&p)
	if len(p) == 0 {
		return nil
	}
	return p
}

func (p *Problems) when(wrong bool, path, format string, a ...any) {
	if wrong {
		*p = append(*p, Problem{path, fmt.Sprintf(format, a...)})
	}
}

// checkIssuer: OpenID Connect Discovery §3: the issuer is a "URL using the https scheme with no query or fragment
// components"; http is for this machine only.
func (c Config) checkIssuer(p *Problems) {
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		p.when(true, "issuer", "%q is no http or https URL: write one like https://login.example.com", c.Issuer)
		return
	}
	origin := oidc.Origin(c.Issuer)
	p.when(c.Issuer != origin, "issuer",
		"%q is more than an origin: the provider stands at the root of a host of its own, without path, query or final slash; write %s", c.Issuer, origin)
	p.when(u.Scheme == "http" && !c.Loopback(), "issuer",
		"%q is http on a host that others can reach: use https, or a loopback name such as http://localhost:8080 for development", c.Issuer)
	p.when(c.Dev != nil && *c.Dev && !c.Loopback(), "dev",
		"development mode signs anybody in without a password, so it works on a loopback issuer only, and %s is none: remove dev: true", c.Issuer)
}

// checkConsole: what development mode adds stays on this machine.
func (c Config) checkConsole(p *Problems) {
	for name, origins := range map[string][]string{"layouts": c.Layouts, "console_origins": c.ConsoleOrigins} {
		p.when(len(origins) > 0 && !c.Development(), name, "is for development mode on a loopback issuer only: remove it")
		for i, origin := range origins {
			u, err := url.Parse(origin)
			p.when(err != nil || origin != oidc.Origin(origin) || !oidc.IsLoopback(u.Hostname()), fmt.Sprintf("%s[%d]", name, i),
				"%q is no origin of this machine: write one like http://app.localhost:9090", origin)
		}
	}
}

func (c Config) checkKeys(p *Problems) {
	for i, key := range c.CookieKeys {
		p.when(len(key) < 32, fmt.Sprintf("cookie_keys[%d]", i), "has %d characters; write 32 or more random ones (openssl rand -hex 32)", len(key))
	}
	seen := map[string]bool{}
	for i, key := range c.SigningKeys {
		at := fmt.Sprintf("signing_keys[%d].alg", i)
		p.when(!slices.Contains(keys.Algorithms(), jose.SignatureAlgorithm(key.Alg)), at, "%q is not supported; supported are %v", key.Alg, keys.Algorithms())
		p.when(seen[key.Alg], at, "%s is there twice: keep one key for each alg", key.Alg)
		seen[key.Alg] = true
	}
}

func (c Config) checkLifetimes(p *Problems) {
	p.when(c.Session.Idle < time.Second, "session.idle", "%v is less than a second: write a duration such as 2h", c.Session.Idle)
	p.when(c.Session.Absolute < time.Second, "session.absolute", "%v is less than a second: write a duration such as 12h", c.Session.Absolute)
	p.when(c.Session.Idle > c.Session.Absolute, "session.idle", "%v is longer than session.absolute, %v: shorten one or lengthen the other", c.Session.Idle, c.Session.Absolute)
}

func (c Config) checkScopes(p *Problems) {
	for i, scope := range c.Scopes {
		at := fmt.Sprintf("scopes[%d].name", i)
		p.when(scope.Name == "" || strings.ContainsFunc(scope.Name, notScope), at, "%q is no scope value: use printable ASCII without space, quote or backslash (RFC 6749 §3.3)", scope.Name)
		p.when(slices.Contains(c.KnownScope()[:len(c.KnownScope())-len(c.Scopes)+i], scope.Name), at, "%s is there already: remove one", scope.Name)
	}
}

// notScope: RFC 6749 §3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
func notScope(r rune) bool { return r < 0x21 || r > 0x7e || r == '"' || r == '\\' }

func (c Config) checkUsers(p *Problems) {
	p.when(len(c.Users) == 0, "users", "is empty, so nobody can sign in: list users (the built-in ones exist on a loopback issuer only)")
	names, subs, emails := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i, user := range c.Users {
		at := fmt.Sprintf("users[%d]", i)
		name, sub, email := strings.ToLower(user.Username), user.Sub, strings.ToLower(user.Email())
		if sub == "" {
			sub = user.Username
		}
		p.when(name == "", at+".username", "is empty: every user needs one")
		p.when(names[name] && name != "", at+".username", "%q is there twice: rename one", user.Username)
		p.when(subs[sub] && sub != "", at+".sub", "%q is another user's sub already: a sub is never shared (Core §2)", sub)
		p.when(len(sub) > 255, at+".sub", "has %d characters; Core §2 allows 255", len(sub))
		p.when(strings.ContainsFunc(sub, notSub), at+".sub", "%q is not printable ASCII without spaces, as a sub has to be (Core §2): write one beside the username", sub)
		users.CheckClaims(user.Claims, func(name, text string) { p.when(true, at+".claims."+name, "%s", text) })
		p.when(emails[email] && email != "", at+".claims.email", "%q is another user's email already: people sign in by it, so it must be one person's", user.Email())
		names[name], subs[sub], emails[email] = true, true, true
		c.checkPassword(p, at, user)
	}
}

func notSub(r rune) bool { return r <= 0x20 || r > 0x7e }

func (c Config) checkPassword(p *Problems, at string, user users.User) {
	switch {
	case user.Password != "" && user.PasswordHash != "":
		p.when(true, at+".password", "stands beside password_hash: keep one")
	case user.Password != "" && !c.Loopback():
		p.when(true, at+".password", "is plain text, which is for a loopback issuer only: write password_hash (htpasswd -nbBC 12 '' PASSWORD makes one)")
	case user.PasswordHash != "":
		err := users.CheckHash(user.PasswordHash)
		p.when(err != nil, at+".password_hash", "cannot be read: %v", err)
	case user.Password == "":
		p.when(true, at, "has neither password_hash nor password: give user %q one", user.Username)
	}
}

func (c Config) checkClients(p *Problems) {
	p.when(len(c.Clients) == 0, "clients", "is empty, so no application can use the provider: list clients (the built-in ones exist on a loopback issuer only)")
	first := map[string]int{}
	for i, client := range c.Clients {
		at := fmt.Sprintf("clients[%d]", i)
		for _, problem := range client.Problems() {
			p.when(true, at+"."+problem.Field, "%s", problem.Text)
		}
		c.checkRedirects(p, at, client)
		if before, ok := first[client.ClientID]; ok && client.ClientID != "" {
			p.when(true, at+".client_id", "%q is a duplicate of clients[%d]: rename or remove one", client.ClientID, before)
		} else {
			first[client.ClientID] = i
		}
		p.when(!slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.Alg == client.IDTokenSignedResponseAlg }),
			at+".id_token_signed_response_alg", "%q has no signing key: add one to signing_keys, or choose another alg", client.IDTokenSignedResponseAlg)
		for _, name := range oidc.ParseScope(client.Scope) {
			p.when(!c.KnownScope().Has(name), at+".scope", "%q is not known to the provider: add it to scopes; known are %s", name, c.KnownScope())
		}
	}
}

// checkRedirects: RFC 9700 §2.6 has no http redirect URIs but those of native apps on loopback addresses. A provider for
// development may be asked by any name that the hosts file knows.
func (c Config) checkRedirects(p *Problems, at string, client oidc.Client) {
	for i, uri := range client.RedirectURIs {
		u, err := url.Parse(uri)
		p.when(err == nil && u.Scheme == "http" && !oidc.IsLoopback(u.Hostname()) && !c.Loopback(), fmt.Sprintf("%s.redirect_uris[%d]", at, i),
			"%q is http, so the code can be read on its way: use https; http is for loopback addresses (RFC 9700 §2.6)", uri)
	}
}

// Warnings tells what is right for development and wrong for anything else.
func (c Config) Warnings() []string {
	var w []string
	if slices.ContainsFunc(c.Users, func(u users.User) bool { return u.Password != "" }) {
		w = append(w, "passwords stand in plain text: good for development on this machine, for nothing else")
	}
	if !c.Loopback() && len(c.CookieKeys) == 0 {
		w = append(w, "cookie_keys is not set: everybody is signed out when the process ends, and no second process can share the work")
	}
	if !c.Loopback() && slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.File == "" }) {
		w = append(w, "a signing key has no file: it is new at each start, and tokens from before can no longer be verified")
	}
	return w
}
