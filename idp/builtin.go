package idp

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// demoTokenLifetime is short, so that renewal can be watched.
const demoTokenLifetime = 90 * time.Second

// demoAudience names the demo's API. It is a name, not an address: the same wherever the demo runs.
const demoAudience = "urn:hush:demo-api"

// demoHosts are the names under which the demo may run: one host and the two layouts of subdomains.
var demoHosts = []string{"localhost", "127.0.0.1", "app.localhost", "app.demo.localhost"}

// withBuiltIn fills in the users and the demo's clients where the configuration names none.
func (c Config) withBuiltIn() Config {
	if len(c.Users) == 0 {
		c.Users = builtInUsers()
	}
	if len(c.Clients) == 0 {
		c.Clients = builtInClients()
	}
	if len(c.Scopes) == 0 {
		c.Scopes = []Scope{{Name: "api.read", Description: "Read from the demo's API in your name"}}
	}
	c.Audience = cmp.Or(c.Audience, demoAudience)
	return c
}

// layoutHosts are the names of this machine under which the provider stands to the demo's demoHosts as one host, same-site
// and cross-site.
var layoutHosts = []string{"localhost", "idp.demo.localhost", "idp.localhost"}

// withConsole fills in what only development mode has.
func (c Config) withConsole() Config {
	if c.Layouts == nil {
		c.Layouts = layoutsOf(c.Issuer)
	}
	if c.ConsoleOrigins == nil {
		for _, host := range demoHosts {
			c.ConsoleOrigins = append(c.ConsoleOrigins, "http://"+host+":9090")
		}
	}
	return c
}

// layoutsOf are the issuers beside this one, if it is one of them.
func layoutsOf(issuer string) []string {
	u, err := url.Parse(issuer)
	if err != nil || u.Scheme != "http" || !slices.Contains(layoutHosts, u.Hostname()) {
		return nil
	}
	var layouts []string
	for _, host := range layoutHosts {
		if host != u.Hostname() {
			layouts = append(layouts, "http://"+strings.TrimSuffix(host+":"+u.Port(), ":"))
		}
	}
	return layouts
}

// builtInClients are the demo's two relying parties. Their registered ports are the demo's; as loopback URIs they match with any.
func builtInClients() []oidc.Client {
	return []oidc.Client{
		{
			ClientID:                "spa",
			ClientName:              "Demo single-page app",
			RedirectURIs:            demoURIs("/spa/callback.html", "/callback"),
			PostLogoutRedirectURIs:  demoURIs("/spa/", "/"),
			TokenEndpointAuthMethod: oidc.AuthMethodNone,
			GrantTypes:              []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken},
			FirstParty:              true,
			AccessTokenLifetime:     demoTokenLifetime,
			IDTokenLifetime:         demoTokenLifetime,
		},
		{
			ClientID:               "web",
			ClientName:             "Demo server-side app",
			ClientSecret:           oidc.NewSecret("web-secret"),
			RedirectURIs:           demoURIs("/web/callback", "/web/silent-callback", "/callback"),
			PostLogoutRedirectURIs: demoURIs("/web/", "/"),
			GrantTypes:             []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials},
			FirstParty:             true,
			AccessTokenLifetime:    demoTokenLifetime,
			IDTokenLifetime:        demoTokenLifetime,
		},
	}
}

func demoURIs(paths ...string) []string {
	var uris []string
	for _, path := range paths {
		for _, host := range demoHosts {
			uris = append(uris, "http://"+host+":9090"+path)
		}
	}
	return uris
}

// builtInUsers are three people with every claim of Core §5.1. Their password is their name.
func builtInUsers() []users.User {
	return []users.User{
		person("alice", "Alice", "Marie", "Archer", "female", "1990-04-12", "Europe/Berlin", "de-DE", "+49 30 5550101",
			address("Lindenallee 7", "10115", "Berlin", "Berlin", "Germany")),
		person("bob", "Robert", "Lee", "Baker", "male", "1984-11-02", "America/Chicago", "en-US", "+1 312 555 0102",
			address("22 Lake Street", "60601", "Chicago", "Illinois", "United States")),
		person("carol", "Carol", "Ana", "Castillo", "female", "1997-07-30", "Europe/Madrid", "es-ES", "+34 91 555 0103",
			address("Calle Mayor 15", "28013", "Madrid", "Madrid", "Spain")),
	}
}

func person(username, given, middle, family, gender, birthdate, zone, locale, phone string, address map[string]any) users.User {
	page := "https://" + username + ".example.com"
	return users.User{
		Username: username,
		Password: username,
		Claims: map[string]any{
			"name": given + " " + family, "given_name": given, "middle_name": middle, "family_name": family,
			"nickname": username, "preferred_username": username,
			"profile": page + "/profile", "picture": page + "/picture.png", "website": page,
			"email": username + "@example.com", "email_verified": true,
			"gender": gender, "birthdate": birthdate, "zoneinfo": zone, "locale": locale,
			"phone_number": phone, "phone_number_verified": true,
			"address":    address,
			"updated_at": 1767225600, // 2026-01-01
		},
	}
}

// address is the claim of Core §5.1.1.
func address(street, code, locality, region, country string) map[string]any {
	return map[string]any{
		"formatted":      street + "\n" + code + " " + locality + "\n" + country,
		"street_address": street, "postal_code": code, "locality": locality, "region": region, "country": country,
	}
}
