package console

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/oidc"
)

// clientForm is a client as it is written: by a person into the console's form, and into the configuration file. Its fields
// are those of oidc.Client; durations are text.
type clientForm struct {
	ClientID                 string   `json:"client_id" yaml:"client_id"`
	ClientName               string   `json:"client_name,omitempty" yaml:"client_name,omitempty"`
	ClientSecret             string   `json:"client_secret,omitempty" yaml:"client_secret,omitempty"`
	TokenEndpointAuthMethod  string   `json:"token_endpoint_auth_method,omitempty" yaml:"token_endpoint_auth_method,omitempty"`
	RedirectURIs             []string `json:"redirect_uris" yaml:"redirect_uris"`
	PostLogoutRedirectURIs   []string `json:"post_logout_redirect_uris,omitempty" yaml:"post_logout_redirect_uris,omitempty"`
	Scope                    string   `json:"scope,omitempty" yaml:"scope,omitempty"`
	FirstParty               bool     `json:"first_party,omitempty" yaml:"first_party,omitempty"`
	RequirePKCE              bool     `json:"require_pkce,omitempty" yaml:"require_pkce,omitempty"`
	AccessTokenLifetime      string   `json:"access_token_lifetime,omitempty" yaml:"access_token_lifetime,omitempty"`
	IDTokenLifetime          string   `json:"id_token_lifetime,omitempty" yaml:"id_token_lifetime,omitempty"`
	IDTokenSignedResponseAlg string   `json:"id_token_signed_response_alg,omitempty" yaml:"id_token_signed_response_alg,omitempty"`
	DefaultMaxAge            *int     `json:"default_max_age,omitempty" yaml:"default_max_age,omitempty"`
	Audience                 string   `json:"audience,omitempty" yaml:"audience,omitempty"`
	ClientURI                string   `json:"client_uri,omitempty" yaml:"client_uri,omitempty"`
	LogoURI                  string   `json:"logo_uri,omitempty" yaml:"logo_uri,omitempty"`
	PolicyURI                string   `json:"policy_uri,omitempty" yaml:"policy_uri,omitempty"`
	TosURI                   string   `json:"tos_uri,omitempty" yaml:"tos_uri,omitempty"`
}

// clientAnswer is a client with what its developer copies: settings for libraries, and the lines that keep it.
type clientAnswer struct {
	Client   clientForm `json:"client"`
	Settings []settings `json:"settings"`
	YAML     string     `json:"yaml"`
}

// clients is GET /console/clients.
func (e *Endpoint) clients(http.ResponseWriter, *http.Request) (any, error) {
	answers := []clientAnswer{}
	for _, client := range e.Clients.All() {
		answer, err := e.clientAnswer(client, "")
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	return map[string]any{"clients": answers}, nil
}

// clientAnswer shows a client. secret is the plain one where the request brought it; of others only the hash is known.
func (e *Endpoint) clientAnswer(client oidc.Client, secret string) (clientAnswer, error) {
	form := formOf(client)
	kept := form
	if !client.Public() {
		kept.ClientSecret = client.ClientSecret.String()
		if secret != "" {
			kept.ClientSecret = secret
		}
	}
	text, err := yaml.MarshalWithOptions(map[string][]clientForm{"clients": {kept}}, yaml.IndentSequence(true))
	return clientAnswer{Client: form, Settings: settingsFor(e.Issuer, client), YAML: string(text)}, err
}

// addClient is POST /console/clients.
func (e *Endpoint) addClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.putClient(r, func(form clientForm, known bool) error {
		if known {
			return oidc.InvalidRequest.Errorf("client %q is there already: choose another client_id, or change the one that is there (PUT)", form.ClientID)
		}
		return nil
	})
}

// editClient is PUT /console/clients: what is sent takes the place of the client. A confidential client keeps its secret
// where none is sent.
func (e *Endpoint) editClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.putClient(r, func(form clientForm, known bool) error {
		if !known {
			return oidc.InvalidRequest.Errorf("client %.50q is not registered: add it (POST), or look for a typing error", form.ClientID)
		}
		return nil
	})
}

func (e *Endpoint) putClient(r *http.Request, may func(form clientForm, known bool) error) (any, error) {
	var form clientForm
	if err := readJSON(r, &form); err != nil {
		return nil, err
	}
	client, err := form.client()
	if err != nil {
		return nil, err
	}
	err = e.Clients.Update(r.Context(), form.ClientID, func(old oidc.Client, known bool) (oidc.Client, error) {
		if err := may(form, known); err != nil {
			return client, err
		}
		client = e.completed(client, old)
		return client, e.problems(client)
	})
	if err != nil {
		return nil, err
	}
	return e.clientAnswer(client, form.ClientSecret)
}

// completed fills in what the form leaves open.
func (e *Endpoint) completed(client, old oidc.Client) oidc.Client {
	if client.ClientSecret.IsZero() && !client.Public() {
		client.ClientSecret = old.ClientSecret
	}
	if client.IDTokenSignedResponseAlg == "" {
		client.IDTokenSignedResponseAlg = e.defaultAlg()
	}
	return client
}

// defaultAlg is RS256 where there is such a key (Registration §2, id_token_signed_response_alg: "The default, if omitted, is
// RS256"), else the provider's first.
func (e *Endpoint) defaultAlg() string {
	if _, err := e.Keys.Alg("RS256"); err == nil {
		return "RS256"
	}
	return string(e.Keys.Algs()[0])
}

// problems is all that is wrong with the client, as one error.
func (e *Endpoint) problems(client oidc.Client) error {
	var told []string
	for _, problem := range client.Problems() {
		told = append(told, problem.Field+": "+problem.Text)
	}
	if _, err := e.Keys.Alg(client.IDTokenSignedResponseAlg); err != nil {
		told = append(told, fmt.Sprintf("id_token_signed_response_alg: %q has no signing key: use one of %v", client.IDTokenSignedResponseAlg, e.Keys.Algs()))
	}
	for _, name := range oidc.ParseScope(client.Scope) {
		if !e.Scopes.Has(name) {
			told = append(told, fmt.Sprintf("scope: %q is not known to the provider: known are %s", name, e.Scopes))
		}
	}
	if told == nil {
		return nil
	}
	return oidc.InvalidRequest.Errorf("%s", strings.Join(told, "\n"))
}

// addRedirectURI is POST /console/clients/{id}/redirect_uris, as JSON or as the form of an error page. A client that is not
// there is made, public and first-party. A form is answered by a redirect to return_to.
func (e *Endpoint) addRedirectURI(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked struct {
		RedirectURI string `json:"redirect_uri"`
		ReturnTo    string `json:"return_to"`
	}
	isForm := strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded")
	if isForm {
		asked.RedirectURI, asked.ReturnTo = r.PostFormValue("redirect_uri"), r.PostFormValue("return_to")
	} else if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	client, err := e.withRedirectURI(r.Context(), r.PathValue("id"), asked.RedirectURI)
	if err != nil {
		return nil, err
	}
	if isForm {
		http.Redirect(w, r, pathOfOurs(asked.ReturnTo), http.StatusSeeOther)
		return nil, nil
	}
	return e.clientAnswer(client, "")
}

func (e *Endpoint) withRedirectURI(ctx context.Context, id, uri string) (client oidc.Client, err error) {
	err = e.Clients.Update(ctx, id, func(old oidc.Client, known bool) (oidc.Client, error) {
		client = old
		if !known {
			client = oidc.Client{ClientID: id, TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true}
		}
		client = e.completed(client, old)
		if !slices.Contains(client.RedirectURIs, uri) {
			client.RedirectURIs = append(slices.Clone(client.RedirectURIs), uri)
		}
		return client, e.problems(client)
	})
	return client, err
}

// pathOfOurs is the address if it is a path of this provider, else the console: an open redirector would be a gift.
func pathOfOurs(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") || strings.Contains(address, `\`) {
		return Path
	}
	return address
}
