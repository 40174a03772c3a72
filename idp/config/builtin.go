package config

import (
	"time"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// demoAPI is the aud of the demo's API. It is no address, because the demo's address is not always the same.
const demoAPI = "urn:hush:demo-api"

// The demo has one host, or one of two layouts of subdomains. Its port is 9090; the clients' loopback URIs match with
// any port.
var demoHosts = []string{
	"http://localhost:9090", "http://127.0.0.1:9090", "http://app.localhost:9090", "http://app.demo.localhost:9090"}

// builtIn returns what a provider at a loopback issuer has unless its configuration has it. Each caller gets lists and
// maps of its own.
func builtIn() Config {
	return Config{
		Audience: demoAPI,
		Scopes:   []Scope{{Name: "api.read", Description: "Read from the demo's API in your name"}},
		Clients:  []oidc.Client{demoSPA(), demoWeb()},
		Users: []users.User{
			person("alice", map[string]any{"given_name": "Alice", "middle_name": "Marie", "family_name": "Archer",
				"gender": "female", "birthdate": "1990-04-12", "zoneinfo": "Europe/Berlin", "locale": "de-DE",
				"phone_number": "+49 30 5550101"}, "Lindenallee 7", "10115", "Berlin", "Berlin", "Germany"),
			person("bob", map[string]any{"given_name": "Robert", "middle_name": "Lee", "family_name": "Baker",
				"gender": "male", "birthdate": "1984-11-02", "zoneinfo": "America/Chicago", "locale": "en-US",
				"phone_number": "+1 312 555 0102"}, "22 Lake Street", "60601", "Chicago", "Illinois", "United States"),
			person("carol", map[string]any{"given_name": "Carol", "middle_name": "Ana", "family_name": "Castillo",
				"gender": "female", "birthdate": "1997-07-30", "zoneinfo": "Europe/Madrid", "locale": "es-ES",
				"phone_number": "+34 91 555 0103"}, "Calle Mayor 15", "28013", "Madrid", "Madrid", "Spain"),
		},
		ConsoleOrigins: atEach(demoHosts, ""),
	}
}

// demoSPA is the single-page app of the demo. It also has the paths that libraries for the browser document, so that
// their examples work as they are. Tokens of the demo's apps are short-lived, so that renewal can be watched.
func demoSPA() oidc.Client {
	local := demoHosts[:2]
	return oidc.Client{
		ClientID: "spa", ClientName: "Demo single-page app", TokenEndpointAuthMethod: oidc.AuthMethodNone,
		GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken}, FirstParty: true,
		AccessTokenLifetime: 90 * time.Second, IDTokenLifetime: 90 * time.Second,
		RedirectURIs: append(atEach(demoHosts, "/spa/callback.html", "/callback"),
			atEach(local, "", "/", "/index.html", "/silent-renew.html", "/silent-refresh.html", "/silent-callback.html",
				"/silent-check-sso.html", "/login/callback", "/authentication/callback", "/authentication/silent-callback")...),
		PostLogoutRedirectURIs: append(atEach(demoHosts, "/spa/", "/"), local...),
	}
}

// demoWeb is the server-side app of the demo.
func demoWeb() oidc.Client {
	return oidc.Client{
		ClientID: "web", ClientName: "Demo server-side app", ClientSecret: oidc.NewSecret("web-secret"),
		GrantTypes: []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials},
		FirstParty: true, AccessTokenLifetime: 90 * time.Second, IDTokenLifetime: 90 * time.Second,
		RedirectURIs:           atEach(demoHosts, "/web/callback", "/web/silent-callback", "/callback"),
		PostLogoutRedirectURIs: atEach(demoHosts, "/web/", "/"),
	}
}

// atEach returns each path at each host.
func atEach(hosts []string, paths ...string) (uris []string) {
	for _, path := range paths {
		for _, host := range hosts {
			uris = append(uris, host+path)
		}
	}
	return uris
}

// person returns a user with every claim of Core §5.1. The password is the username.
func person(username string, claims map[string]any, street, code, city, region, country string) users.User {
	site := "https://" + username + ".example.com"
	claims["name"] = claims["given_name"].(string) + " " + claims["family_name"].(string)
	claims["nickname"], claims["preferred_username"] = username, username
	claims["profile"], claims["picture"], claims["website"] = site+"/profile", site+"/picture.png", site
	claims["email"], claims["email_verified"], claims["phone_number_verified"] = username+"@example.com", true, true
	claims["address"] = map[string]any{
		"formatted":      street + "\n" + code + " " + city + "\n" + country,
		"street_address": street, "postal_code": code, "locality": city, "region": region, "country": country,
	}
	claims["updated_at"] = int64(1767225600) // 2026-01-01
	return users.User{Username: username, Password: username, Claims: claims}
}
