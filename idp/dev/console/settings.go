package console

import (
	"cmp"
	"embed"
	"maps"
	"net/url"
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
// line with a placeholder that has no value is left out. The files come from e2e/recipes, which the tests run:
// `go test -run TestTheConsoleOffersTheRecipes . -update` writes them.
//
//go:embed settings
var settingsFiles embed.FS

// settingsFor returns the settings of the libraries that the client can use, in the order of their names: those of
// browsers, which keep no secret, for a public client, and those of servers for the others. used is the redirect URI
// that the app of the client used last, or empty.
func settingsFor(issuer string, client oidc.Client, used string) []settings {
	folder := "settings/server"
	if client.Public() {
		folder = "settings/browser"
	}
	files, err := settingsFiles.ReadDir(folder)
	if err != nil {
		panic(err) // the folder is embedded
	}
	values := valuesOf(issuer, client, used)
	list := make([]settings, len(files))
	for i, file := range files {
		text, err := settingsFiles.ReadFile(folder + "/" + file.Name())
		if err != nil {
			panic(err)
		}
		library, extensions, _ := strings.Cut(file.Name(), ".")
		language, _, _ := strings.Cut(extensions, ".") // go.txt, because go would build a file go
		list[i] = settings{Library: library, Language: language, Text: fillIn(string(text), values)}
	}
	return list
}

// valuesOf are the values of the placeholders. Between quotation marks all the languages read them alike. Where the
// client has no redirect URI, the path and the port of one are those of the recipes.
func valuesOf(issuer string, client oidc.Client, used string) map[string]string {
	_, host, _ := strings.Cut(issuer, "://")
	redirectURI := cmp.Or(used, first(client.RedirectURIs))
	address, err := url.Parse(redirectURI)
	if err != nil {
		address = &url.URL{}
	}
	values := map[string]string{
		"{issuer}": issuer, "{host}": host, "{https_issuer}": "https://" + host,
		"{client_id}": client.ClientID, "{client_secret}": "the-secret-of-" + client.ClientID,
		"{scope}": cmp.Or(client.Scope, "openid profile email"), "{redirect_uri}": redirectURI,
		"{origin}": originOf(redirectURI), "{redirect_path}": cmp.Or(address.Path, "/callback"),
		"{port}":                     cmp.Or(address.Port(), "3000"),
		"{post_logout_redirect_uri}": atOrigin(client.PostLogoutRedirectURIs, originOf(redirectURI)),
	}
	for name, value := range values {
		quoted := strconv.Quote(value)
		values[name] = quoted[1 : len(quoted)-1]
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

// atOrigin returns the first of the URIs that the app at the origin can serve, with the port of the app where any port
// matches. If there is none, it returns the first.
func atOrigin(uris []string, origin string) string {
	for _, uri := range uris {
		if moved := origin + strings.TrimPrefix(uri, originOf(uri)); oidc.MatchRedirectURI([]string{uri}, moved) {
			return moved
		}
	}
	return first(uris)
}

// originOf returns the scheme, host and port of a URI.
func originOf(uri string) string {
	scheme, rest, _ := strings.Cut(uri, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
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
