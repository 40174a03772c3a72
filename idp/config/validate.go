package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Problem is one mistake in a configuration: where it is, as a path like clients[1].redirect_uris[0], and a text with
// the mistake, the expected value and a remedy.
type Problem struct{ Path, Text string }

// Problems are all mistakes of a configuration, as one error.
type Problems []Problem

// Error implements error with one line for each problem.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.Path + ": " + problem.Text
	}
	return strings.Join(lines, "\n")
}

// Check returns all mistakes of a configuration completed by WithDefaults as Problems, or nil. endpoints are the names
// of the provider's endpoints, by path.
func (c Config) Check(endpoints map[string]string) error {
	var problems Problems
	report := oidc.Report(func(path, text string) { problems = append(problems, Problem{path, text}) })
	checkIssuer(c, endpoints, report)
	if !c.hasIssuer() {
		c = c.elsewhere()
	}
	c.checkLayouts(endpoints, report)
	checkConsole(c, report)
	c.checkPowers(report)
	checkCodeLifetime(c.CodeLifetime, report)
	checkHosts(c, report)
	checkCookieKeys(c.CookieKeys, report)
	checkScopes(c, report)
	checkResources(c.Resources, report)
	checkAliases(c.Aliases, endpoints, report)
	keys.Check(c.SigningKeys, c.RotateEvery, c.Session.Absolute, report)
	c.Session.Check(report.In("session"))
	c.Refresh.Check(report.In("refresh"))
	c.ACRValues.Check(report)
	c.PAR.Check(report.In("par"))
	c.Limits.Check(report.In("limits"))
	c.Registration.Check(report.In("registration"))
	c.Fetch.Check(report.In("fetch"))
	users.Check(c.Users, c.Loopback(), report)
	c.Provided().Check(c.Clients, report)
	if len(problems) == 0 {
		return nil
	}
	return problems
}

// Provided returns what a client may use. The configuration must have its defaults.
func (c Config) Provided() clients.Provided {
	return clients.Provided{
		Loopback: c.Loopback(), SigningAlgs: signingAlgs(c.SigningKeys), Scope: c.KnownScope(),
		ACRValues: c.ACRValues.Values(), LongestRefresh: c.Refresh.Absolute, PairwiseSalt: c.PairwiseSalt,
		Release: c.Release(),
	}
}

func signingAlgs(specs []SigningKey) []string {
	algs := make([]string, len(specs))
	for i, spec := range specs {
		algs[i] = string(spec.Alg)
	}
	return algs
}

// checkIssuer: OpenID Connect Discovery §3: the issuer is a "URL using the https scheme with no query or fragment
// components"; http is for this machine only.
func checkIssuer(c Config, endpoints map[string]string, report oidc.Report) {
	if !c.hasIssuer() {
		report.When(true, "issuer", "%q is no http or https URL: write one like https://login.example.com", c.Issuer)
		return
	}
	c.checkAddress("issuer", c.Issuer, endpoints, report)
	report.When(strings.HasPrefix(c.Issuer, "http:") && !c.Loopback(), "issuer", "%q is http on a host that "+
		"others can reach: use https, a loopback name such as http://localhost:8080 for development, or list the host in "+
		"dev_hosts to try it in a network of your own", c.Issuer)
	report.When(c.Dev != nil && *c.Dev && !c.Loopback(), "dev", "development mode signs anybody in without a password, "+
		"so it works on a loopback issuer only, and %s is none: remove dev: true", c.Issuer)
}

// longestCode is the maximum of code_lifetime.
const longestCode = time.Hour

func checkCodeLifetime(lifetime time.Duration, report oidc.Report) {
	report.When(lifetime < time.Second || lifetime > longestCode, "code_lifetime",
		"%v is not between 1s and %v: write a duration such as 10m", lifetime, longestCode)
}

// checkHosts: a host is written as a program names it.
func checkHosts(c Config, report oidc.Report) {
	for i, host := range c.BackChannelHosts {
		report.When(oidc.Origin("http://"+host) != "http://"+host, fmt.Sprintf("back_channel_hosts[%d]", i),
			"%q is no host as a program names it: write one such as idp:8080, in lower case", host)
	}
	for i, host := range c.DevHosts {
		u, err := url.Parse("http://" + host)
		isName := err == nil && u.Host == host && u.Port() == "" && oidc.Origin("http://"+host) == "http://"+host &&
			oidc.IsMadeOf(host, oidc.LettersAndDigits+"-._:[]")
		report.When(!isName, fmt.Sprintf("dev_hosts[%d]", i),
			"%q is no host name or address: write one like idp or 192.168.1.5, in lower case and without a port", host)
	}
}

// checkConsole: console origins are addresses of this machine.
func checkConsole(c Config, report oidc.Report) {
	for i, origin := range c.ConsoleOrigins {
		u, err := url.Parse(origin)
		isOurs := err == nil && origin == oidc.Origin(origin) && c.IsLocal(u.Hostname())
		report.When(!isOurs, fmt.Sprintf("console_origins[%d]", i),
			"%q is no origin of this machine: write one like http://app.localhost:9090", origin)
	}
}

func checkCookieKeys(keys []string, report oidc.Report) {
	for i, key := range keys {
		report.When(len(key) < 32, fmt.Sprintf("cookie_keys[%d]", i),
			"has %d characters; write 32 or more random ones (openssl rand -hex 32)", len(key))
	}
}

func checkScopes(c Config, report oidc.Report) {
	known := oidc.Scope{oidc.ScopeOpenID, oidc.ScopeOffline} // they cover no claims
	release := c.Release()
	for i, scope := range c.Scopes {
		report := report.In(fmt.Sprintf("scopes[%d]", i))
		report.When(scope.Name == "" || strings.ContainsFunc(scope.Name, oidc.NotInScope), "name",
			"%q is no scope value: use printable ASCII without space, quote or backslash (RFC 6749 §3.3)", scope.Name)
		report.When(known.Has(scope.Name), "name", "%s is there already: remove one", scope.Name)
		known = append(known, scope.Name)
		report.CheckClaimNames("claims", scope.Claims)
		report.When(slices.Contains(scope.Claims, oidc.AllClaims), "claims",
			"names the claim scope, which only the provider itself writes: choose another name")
		for field, names := range map[string]oidc.ClaimNames{
			"id_token_claims": scope.IDTokenClaims, "access_token_claims": scope.AccessTokenClaims,
		} {
			covered := release.Names(oidc.Scope{scope.Name})
			for j, name := range names {
				report.When(name != oidc.AllClaims && !covered.Has(name), fmt.Sprintf("%s[%d]", field, j),
					"%q is none of the claims of this scope: add it to its claims, or write one of %s, or scope for all of them",
					name, strings.Join(covered, ", "))
			}
		}
	}
}

// checkResources: RFC 8707 §2: a resource is an absolute URI without a fragment.
func checkResources(resources []string, report oidc.Report) {
	for i, resource := range resources {
		at := fmt.Sprintf("resources[%d]", i)
		u, err := url.Parse(resource)
		report.When(err != nil || !u.IsAbs() || strings.Contains(resource, "#"), at,
			"%q is no absolute URI without fragment: write one like https://api.example.com (RFC 8707 §2)", resource)
		report.When(slices.Contains(resources[:i], resource), at, "%q is there already: remove one", resource)
	}
}

// checkAliases: an alias names an endpoint, and is a path that no other endpoint has.
func checkAliases(aliases, endpoints map[string]string, report oidc.Report) {
	taken, names := map[string]string{}, slices.Sorted(maps.Values(endpoints))
	maps.Copy(taken, endpoints)
	for _, path := range endpoint.Added {
		taken[path] = path
	}
	for _, name := range slices.Sorted(maps.Keys(aliases)) {
		at, path := "aliases."+name, aliases[name]
		report.When(!slices.Contains(names, name), at, "%q is no endpoint: write one of %s", name,
			strings.Join(slices.Compact(names), ", "))
		isPath := strings.HasPrefix(path, "/") && !strings.ContainsAny(path, "?#*:{ ") && !strings.HasSuffix(path, "/")
		report.When(!isPath, at, "%q is no path: write one like /oauth/%s, without query and final slash", path, name)
		report.When(taken[path] != "", at, "%s is the path of another endpoint or alias: choose another", path)
		taken[path] = name
	}
}

// Warnings describes the settings that suit development only.
func (c Config) Warnings() []string {
	w := append(c.OptIns(), c.nested()...)
	if slices.ContainsFunc(c.Users, func(u users.User) bool { return u.Password != "" }) {
		w = append(w, "passwords stand in plain text: good for development on this machine, for nothing else")
	}
	if costs := users.Costs(c.Users); len(costs) > 1 {
		w = append(w, "the users' password hashes have different costs ("+strings.Join(costs, ", ")+"): "+
			"each sign-in takes as long as one comparison of every kind, so that its time tells nothing about the user; "+
			"make all hashes with one algorithm and the same parameters (idp hash-password)")
	}
	return w
}

// Unreleased are the users' claims that no scope covers, as Problems: they are no mistakes, but no client gets them.
func (c Config) Unreleased() (found Problems) {
	covered := c.Release().Names(c.KnownScope())
	seen := map[string]bool{}
	for i, user := range c.Users {
		for _, name := range slices.Sorted(maps.Keys(user.Claims)) {
			bare, _, _ := strings.Cut(name, "#") // the language of a claim follows its name (Core §5.2)
			if !covered.Has(bare) && !seen[bare] {
				found = append(found, Problem{fmt.Sprintf("users[%d].claims.%s", i, name), "no scope covers this claim, so no " +
					"client ever gets it: add it to the claims of a scope, such as scopes: [{name: " + bare +
					", claims: [" + bare + "]}]"})
			}
			seen[bare] = true
		}
	}
	return found
}
