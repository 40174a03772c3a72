package console

import (
	"cmp"
	"embed"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// settings are lines to copy into an application that uses a library.
type settings struct {
	Library  string `json:"library"` // the name of a recipe, docs/recipes
	Language string `json:"language"`
	Text     string `json:"text"`
}

// settingsFiles has a file for each library, with {placeholders} for what differs between clients: values has them. A
// line with a placeholder that has no value is left out. The files of browser libraries are those of e2e/recipes, which
// the tests run: `go test -run TestTheConsoleOffersTheRecipes . -update` writes them.
//
//go:embed settings
var settingsFiles embed.FS

// settingsFor returns the settings of the libraries that the client can use, in the order of their names. A browser
// keeps no secret, so a client with a secret has those of servers alone.
func settingsFor(issuer string, client oidc.Client) []settings {
	files, err := settingsFiles.ReadDir("settings")
	if err != nil {
		panic(err) // the folder is embedded
	}
	values := valuesOf(issuer, client)
	var list []settings
	for _, file := range files {
		library, extensions, _ := strings.Cut(file.Name(), ".")
		language, _, _ := strings.Cut(extensions, ".") // go.txt, because go would build a file go
		if language != "go" && !client.Public() {
			continue
		}
		text, err := settingsFiles.ReadFile("settings/" + file.Name())
		if err != nil {
			panic(err)
		}
		list = append(list, settings{Library: library, Language: language, Text: fillIn(string(text), values)})
	}
	return list
}

// valuesOf are the values of the placeholders. Between quotation marks JavaScript, TypeScript and Go read them alike.
func valuesOf(issuer string, client oidc.Client) map[string]string {
	_, host, _ := strings.Cut(issuer, "://")
	scope := cmp.Or(client.Scope, "openid profile email")
	redirectURI := first(client.RedirectURIs)
	values := map[string]string{
		"{issuer}": issuer, "{host}": host, "{https_issuer}": "https://" + host,
		"{client_id}": client.ClientID, "{scope}": scope,
		"{redirect_uri}": redirectURI, "{origin}": originOf(redirectURI),
		"{post_logout_redirect_uri}": first(client.PostLogoutRedirectURIs),
	}
	for name, value := range values {
		quoted := strconv.Quote(value)
		values[name] = quoted[1 : len(quoted)-1]
	}
	values["{client_secret}"], values["{scopes}"] = "", goScopes(scope)
	if !client.Public() {
		values["{client_secret}"] = `os.Getenv("CLIENT_SECRET")`
	}
	return values
}

// first returns the first of the URIs, or nothing.
func first(uris []string) string {
	if len(uris) == 0 {
		return ""
	}
	return uris[0]
}

// originOf returns the scheme, host and port of a URI.
func originOf(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

// goScopes is the scope as a slice in Go.
func goScopes(scope string) string {
	scopes := "oidc.ScopeOpenID"
	for _, name := range oidc.ParseScope(scope) {
		if name != oidc.ScopeOpenID {
			scopes += ", " + strconv.Quote(name)
		}
	}
	return "[]string{" + scopes + "}"
}

// fillIn replaces the placeholders of the text. It leaves out each line with a placeholder that has no value.
func fillIn(text string, placeholders map[string]string) string {
	var pairs []string
	for name, value := range placeholders {
		pairs = append(pairs, name, value)
	}
	replacer := strings.NewReplacer(pairs...)
	var filled strings.Builder
	for line := range strings.Lines(text) {
		hasNoValue := func(name string) bool { return placeholders[name] == "" && strings.Contains(line, name) }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(placeholders)), hasNoValue) {
			filled.WriteString(replacer.Replace(line))
		}
	}
	return filled.String()
}
