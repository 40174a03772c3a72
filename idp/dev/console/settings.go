package console

import (
	"cmp"
	_ "embed"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/oidc"
)

// settings are lines to copy into an application that uses a library.
type settings struct {
	Library  string `json:"library"`
	Language string `json:"language"`
	Text     string `json:"text"`                    // in settings.yaml with placeholders
	Browser  bool   `json:"-"        yaml:"browser"` // the library runs in a browser, so it has no secret
}

//go:embed settings.yaml
var settingsFile []byte

// settingsFor returns the settings of the libraries that the client can use.
func settingsFor(issuer string, client oidc.Client) []settings {
	var all, list []settings
	if err := yaml.UnmarshalWithOptions(settingsFile, &all, yaml.DisallowUnknownField()); err != nil {
		panic(err) // the file is embedded
	}
	placeholders := placeholdersOf(issuer, client)
	for _, s := range all {
		if s.Browser && !client.Public() {
			continue
		}
		s.Text = fillIn(s.Text, placeholders)
		list = append(list, s)
	}
	return list
}

// placeholdersOf are the values for settings.yaml, written so that JavaScript and Go both accept them.
func placeholdersOf(issuer string, client oidc.Client) map[string]string {
	_, host, _ := strings.Cut(issuer, "://")
	scope := cmp.Or(client.Scope, "openid profile email")
	values := map[string]string{
		"{issuer}": strconv.Quote(issuer), "{client_id}": strconv.Quote(client.ClientID), "{scope}": strconv.Quote(scope),
		"{host}": strconv.Quote(host), "{https_issuer}": strconv.Quote("https://" + host),
		"{redirect_uri}": `""`, "{post_logout_redirect_uri}": "", "{client_secret}": "",
	}
	if len(client.RedirectURIs) > 0 {
		values["{redirect_uri}"] = strconv.Quote(client.RedirectURIs[0])
	}
	if len(client.PostLogoutRedirectURIs) > 0 {
		values["{post_logout_redirect_uri}"] = strconv.Quote(client.PostLogoutRedirectURIs[0])
	}
	if !client.Public() {
		values["{client_secret}"] = `os.Getenv("CLIENT_SECRET")`
	}
	scopes := "oidc.ScopeOpenID"
	for _, name := range oidc.ParseScope(scope) {
		if name != oidc.ScopeOpenID {
			scopes += ", " + strconv.Quote(name)
		}
	}
	values["{scopes}"] = "[]string{" + scopes + "}"
	return values
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
