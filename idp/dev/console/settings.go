package console

import (
	"strconv"
	"strings"
	"text/template"

	"github.com/hush-idp/hush/oidc"
)

// settings are lines to copy into an application that uses a library.
type settings struct {
	Library  string `json:"library"`
	Language string `json:"language"`
	Text     string `json:"text"`
}

// example is what the templates are filled with.
type example struct {
	Issuer, ClientID, RedirectURI, PostLogoutRedirectURI, Scope string
	Confidential                                                bool
	Scopes                                                      []string // without openid
}

// settingsFor fills the templates that fit the client: a secret is for no browser.
func settingsFor(issuer string, client oidc.Client) []settings {
	filled := exampleOf(issuer, client)
	var list []settings
	for _, t := range settingTemplates {
		if t.browser && filled.Confidential {
			continue
		}
		var text strings.Builder
		if err := t.template.Execute(&text, filled); err != nil {
			panic(err) // a fault of the template, seen by the first test
		}
		list = append(list, settings{Library: t.library, Language: t.language, Text: text.String()})
	}
	return list
}

func exampleOf(issuer string, client oidc.Client) example {
	filled := example{Issuer: issuer, ClientID: client.ClientID, Confidential: !client.Public(),
		Scope: "openid profile email"}
	if client.Scope != "" {
		filled.Scope = client.Scope
	}
	for _, name := range oidc.ParseScope(filled.Scope) {
		if name != oidc.ScopeOpenID {
			filled.Scopes = append(filled.Scopes, name)
		}
	}
	if len(client.RedirectURIs) > 0 {
		filled.RedirectURI = client.RedirectURIs[0]
	}
	if len(client.PostLogoutRedirectURIs) > 0 {
		filled.PostLogoutRedirectURI = client.PostLogoutRedirectURIs[0]
	}
	return filled
}

type settingTemplate struct {
	library, language string
	browser           bool // it runs where a secret cannot be kept
	template          *template.Template
}

var settingTemplates = []settingTemplate{
	{"oidc-client-ts", "js", true, parse(`import { UserManager } from "oidc-client-ts";

export const manager = new UserManager({
  authority: {{quote .Issuer}},
  client_id: {{quote .ClientID}},
  redirect_uri: {{quote .RedirectURI}}, // this page calls signinCallback(), in the iframe too
{{- with .PostLogoutRedirectURI}}
  post_logout_redirect_uri: {{quote .}},{{end}}
  scope: {{quote .Scope}},
  automaticSilentRenew: true, // 60 seconds before the access token expires
  includeIdTokenInSilentRenew: true, // "renew for this person"
});

// await manager.signinRedirect();   with a page
// await manager.signinSilent();     in a hidden iframe
`)},
	{"auth0-spa-js", "js", true, parse(`import { createAuth0Client } from "@auth0/auth0-spa-js";

export const auth0 = await createAuth0Client({
  domain: {{quote .Issuer}},
  clientId: {{quote .ClientID}},
  authorizationParams: { redirect_uri: {{quote .RedirectURI}}, scope: {{quote .Scope}} },
});

// This library is made for Auth0. It ignores discovery and expects POST /oauth/token, an iss that ends in a slash and,
// for getTokenSilently() in an iframe, response_mode=web_message. Hush has none of these: the sign-in page opens, and
// nothing after it works. Use oidc-client-ts.
`)},
	{"go-oidc", "go", false, parse(`// github.com/coreos/go-oidc/v3/oidc, golang.org/x/oauth2
provider, err := oidc.NewProvider(ctx, {{quote .Issuer}})
if err != nil {
	return err
}
config := oauth2.Config{
	ClientID:     {{quote .ClientID}},
{{- if .Confidential}}
	ClientSecret: os.Getenv("CLIENT_SECRET"),{{end}}
	Endpoint:     provider.Endpoint(),
	RedirectURL:  {{quote .RedirectURI}},
	Scopes:       []string{oidc.ScopeOpenID{{range .Scopes}}, {{quote .}}{{end}}},
}
verifier := provider.Verifier(&oidc.Config{ClientID: config.ClientID})

codeVerifier := oauth2.GenerateVerifier() // keep it, state and nonce until the callback
silent := config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(codeVerifier),
	oauth2.SetAuthURLParam("prompt", "none")) // the address of the hidden iframe
`)},
}

func parse(text string) *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"quote": strconv.Quote}).Parse(text))
}
