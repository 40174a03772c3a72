package console

import (
	"cmp"
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/oidc"
)

// settings are lines to copy into an application that uses a library.
type settings struct {
	Library  string `json:"library"`
	Language string `json:"language"`
	Text     string `json:"text"`                    // in settings.yaml a template
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
	client.Scope = cmp.Or(client.Scope, "openid profile email")
	if len(client.RedirectURIs) == 0 {
		client.RedirectURIs = []string{""}
	}
	scopes := slices.DeleteFunc(oidc.ParseScope(client.Scope), func(name string) bool { return name == oidc.ScopeOpenID })
	for _, s := range all {
		if s.Browser && !client.Public() {
			continue
		}
		var text strings.Builder
		parsed := template.Must(template.New("").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(s.Text))
		if err := parsed.Execute(&text, struct {
			oidc.Client
			Issuer string
			Scopes []string // without openid
		}{client, issuer, scopes}); err != nil {
			panic(err) // a mistake in the template; the first test finds it
		}
		s.Text = text.String()
		list = append(list, s)
	}
	return list
}
