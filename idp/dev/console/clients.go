package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// clientAnswer is a client, settings for libraries to copy, and the lines of the configuration file that register the
// client.
type clientAnswer struct {
	// the fields of oidc.Client that are set, without the secret; durations are text
	Client   map[string]any `json:"client"`
	Settings []settings     `json:"settings"`
	YAML     string         `json:"yaml"`
	// Unregistered is true for a client that any_client let in.
	Unregistered bool `json:"unregistered,omitempty"`
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
	if e.Clients.Unregistered == nil {
		return map[string]any{"clients": answers}, nil
	}
	for _, client := range e.Clients.Unregistered.All() {
		answer, err := e.clientAnswer(client, client.ClientSecret.Plain())
		if err != nil {
			return nil, err
		}
		answer.Unregistered = true
		answers = append(answers, answer)
	}
	return map[string]any{"clients": answers}, nil
}

// clientAnswer describes a client. secret is the plain secret if the request contained it.
func (e *Endpoint) clientAnswer(client oidc.Client, secret string) (clientAnswer, error) {
	text, err := yamlOf(client, secret)
	return clientAnswer{Client: members(client), Settings: settingsFor(e.Issuer, client), YAML: text}, err
}

// addClient is POST /console/clients.
func (e *Endpoint) addClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.changeClient(r, func(id string, known bool) error {
		if !known {
			return nil
		}
		return oidc.InvalidRequest.Errorf("client %q is there already: choose another client_id, or change the existing "+
			"client (PUT)", id)
	})
}

// editClient is PUT /console/clients: the body is a JSON merge patch (RFC 7396) of the client that its client_id names.
// Fields that are not in it stay as they are, and so does the secret if it is empty.
func (e *Endpoint) editClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.changeClient(r, func(id string, known bool) error {
		if known {
			return nil
		}
		return oidc.InvalidRequest.Errorf("client %.50q is not registered: add it (POST), or correct the client_id", id)
	})
}

// changeClient applies the merge patch in the body to a client for which may returns no error.
func (e *Endpoint) changeClient(r *http.Request, may func(id string, known bool) error) (any, error) {
	var patch json.RawMessage
	if err := readJSON(r, &patch); err != nil {
		return nil, err
	}
	asked, _, err := patched(oidc.Client{}, patch)
	if err != nil {
		return nil, err
	}
	var client oidc.Client
	var secret string
	err = e.Clients.Update(r.Context(), asked.ClientID, func(old oidc.Client, known bool) (oidc.Client, error) {
		if err := may(asked.ClientID, known); err != nil {
			return old, err
		}
		if client, secret, err = patched(old, patch); err != nil {
			return old, err
		}
		client, err = e.checked(client)
		return client, err
	})
	if err != nil {
		return nil, err
	}
	return e.clientAnswer(client, secret)
}

// checked returns the client with an algorithm of ID tokens, and an error with all its problems.
func (e *Endpoint) checked(client oidc.Client) (oidc.Client, error) {
	if client.IDTokenSignedResponseAlg == "" {
		client.IDTokenSignedResponseAlg = string(oidc.DefaultSigningAlg(e.Keys.Algs()))
	}
	var problems []string
	for _, problem := range client.Problems(true) {
		problems = append(problems, problem.Field+": "+problem.Text)
	}
	if _, err := e.Keys.Alg(client.IDTokenSignedResponseAlg); err != nil {
		problems = append(problems, fmt.Sprintf("id_token_signed_response_alg: %q has no signing key: use one of %v",
			client.IDTokenSignedResponseAlg, e.Keys.Algs()))
	}
	for _, name := range oidc.ParseScope(client.Scope) {
		if !e.Scopes.Has(name) {
			problems = append(problems, fmt.Sprintf("scope: %q is not known to the provider: known are %s", name, e.Scopes))
		}
	}
	if problems == nil {
		return client, nil
	}
	return client, oidc.InvalidRequest.Errorf("%s", strings.Join(problems, "\n"))
}

// addRedirectURI is POST /console/clients/{id}/redirect_uris, as JSON or as the form of an error page. A missing client
// is made, public and first-party. The answer to a form is a redirect to return_to.
func (e *Endpoint) addRedirectURI(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked struct {
		RedirectURI string `json:"redirect_uri"`
		ReturnTo    string `json:"return_to"`
	}
	isForm := oidc.ParseForm(r) == nil && len(r.PostForm) > 0
	if isForm {
		asked.RedirectURI, asked.ReturnTo = r.PostForm.Get("redirect_uri"), r.PostForm.Get("return_to")
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
		if !slices.Contains(client.RedirectURIs, uri) {
			client.RedirectURIs = append(slices.Clone(client.RedirectURIs), uri)
		}
		client, err = e.checked(client)
		return client, err
	})
	return client, err
}

// pathOfOurs returns the address if it is a path of this provider, else the console's path, to be no open redirector.
func pathOfOurs(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(address, "/") ||
		strings.HasPrefix(address, "//") || strings.Contains(address, `\`) {
		return Path
	}
	return address
}
