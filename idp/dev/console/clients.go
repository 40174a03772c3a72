package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// clientAnswer is a client, settings for libraries to copy, and the lines of the configuration file that register the
// client.
type clientAnswer struct {
	// the fields of oidc.Client that are set, without the secret; durations are text
	Client   map[string]any `json:"client"`
	Settings []settings     `json:"settings"`
	YAML     string         `json:"yaml"`
	// AnyPort has the redirect URIs, and the addresses after a sign-out, that match with any port.
	AnyPort []string `json:"any_port,omitempty"`
	// Unregistered is true for a client that any_client let in.
	Unregistered bool `json:"unregistered,omitempty"`
}

// clientList is the answer of GET /console/clients.
type clientList struct {
	Clients []clientAnswer `json:"clients"`
}

// clients is GET /console/clients.
func (e *Endpoint) clients(_ http.ResponseWriter, r *http.Request) (any, error) {
	answers, used := []clientAnswer{}, e.redirectURIs(r.Context())
	for _, client := range e.Clients.All() {
		answer, err := e.clientAnswer(client, "", used)
		if err != nil {
			return nil, err
		}
		answers = append(answers, answer)
	}
	if e.Clients.Unregistered == nil {
		return clientList{answers}, nil
	}
	for _, client := range e.Clients.Unregistered.All() {
		answer, err := e.clientAnswer(client, client.ClientSecret.Plain(), used)
		if err != nil {
			return nil, err
		}
		answer.Unregistered = true
		answers = append(answers, answer)
	}
	return clientList{answers}, nil
}

// client is GET /console/clients/{id}.
func (e *Endpoint) client(_ http.ResponseWriter, r *http.Request) (any, error) {
	client, err := e.Clients.ByID(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, unknownClient(r.PathValue("id"), err)
	}
	return e.clientAnswer(*client, "", e.redirectURIs(r.Context()))
}

// unknownClient is the error for a client that is not registered. Another err stays as it is.
func unknownClient(id string, err error) error {
	if !errors.Is(err, clients.ErrUnknown) {
		return err
	}
	return oidc.InvalidRequest.Errorf("client %.50q is not registered: GET /console/clients lists the clients", id).
		Because(errAbsent)
}

// clientAnswer describes a client. secret is the plain secret if the request contained it; used has the redirect URIs
// of the apps.
func (e *Endpoint) clientAnswer(client oidc.Client, secret string, used []redirectURIs) (clientAnswer, error) {
	text, err := yamlOf(client, secret)
	redirectURI := ""
	if i := slices.IndexFunc(used, func(u redirectURIs) bool { return u.ClientID == client.ClientID }); i >= 0 {
		redirectURI = used[i].SignIn
	}
	return clientAnswer{
		Client: members(client), Settings: settingsFor(e.Issuer, client, redirectURI), YAML: text,
		AnyPort: anyPort(client),
	}, err
}

// anyPort lists the addresses of the client whose port is free (RFC 8252 §7.3).
func anyPort(client oidc.Client) (list []string) {
	for _, uri := range slices.Concat(client.RedirectURIs, client.PostLogoutRedirectURIs) {
		if oidc.HasFreePort(uri) && !slices.Contains(list, uri) {
			list = append(list, uri)
		}
	}
	return list
}

// maxClients bounds the clients of the register.
const maxClients = 1000

// update changes a client, or adds one if there are fewer than maxClients.
func (e *Endpoint) update(ctx context.Context, id string, change clients.Change) error {
	return e.Clients.Update(ctx, id, func(old oidc.Client, known bool) (oidc.Client, error) {
		client, err := change(old, known)
		if err == nil && !known && len(e.Clients.All()) >= maxClients {
			return old, oidc.InvalidRequest.Errorf("there are %d clients already: delete some", maxClients)
		}
		return client, err
	})
}

// putClient is PUT /console/clients/{id}: it adds the client, or replaces the one with this client_id. The body has the
// members of a client. With the header If-None-Match: * (RFC 9110 §13.1.2) it only adds a client.
func (e *Endpoint) putClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.changeClient(r, func(_ oidc.Client, known bool) (oidc.Client, error) {
		if known && r.Header.Get("If-None-Match") == "*" {
			return oidc.Client{}, oidc.InvalidRequest.Errorf("client %q is there already: choose another client_id, or change "+
				"the existing client (PATCH)", r.PathValue("id"))
		}
		return oidc.Client{}, nil
	})
}

// patchClient is PATCH /console/clients/{id}: the body is a JSON merge patch (RFC 7396) of the client. Members that are
// not in it stay as they are, and so does the secret if it is empty.
func (e *Endpoint) patchClient(_ http.ResponseWriter, r *http.Request) (any, error) {
	return e.changeClient(r, func(old oidc.Client, known bool) (oidc.Client, error) {
		if !known {
			return old, unknownClient(r.PathValue("id"), clients.ErrUnknown)
		}
		return old, nil
	})
}

// deleteClient is DELETE /console/clients/{id}.
func (e *Endpoint) deleteClient(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := e.Clients.Remove(r.Context(), r.PathValue("id")); err != nil {
		return nil, unknownClient(r.PathValue("id"), err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil, nil
}

// changeClient applies the merge patch in the body to the client that from returns for the one before.
func (e *Endpoint) changeClient(
	r *http.Request, from func(old oidc.Client, known bool) (oidc.Client, error),
) (any, error) {
	var patch json.RawMessage
	if err := readJSON(r, &patch); err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	var client oidc.Client
	var secret string
	err := e.update(r.Context(), id, func(old oidc.Client, known bool) (oidc.Client, error) {
		before, err := from(old, known)
		if err != nil {
			return old, err
		}
		before.ClientID = id
		if client, secret, err = patched(before, patch); err != nil {
			return old, err
		}
		if client.ClientID != id {
			return old, oidc.InvalidRequest.Errorf("client_id is %.50q, and the path names %.50q: leave client_id out",
				client.ClientID, id)
		}
		client, err = e.checked(client)
		return client, err
	})
	if err != nil {
		return nil, err
	}
	return e.clientAnswer(client, secret, e.redirectURIs(r.Context()))
}

// checked returns the client with an algorithm of ID tokens, and an error with all its problems.
func (e *Endpoint) checked(client oidc.Client) (oidc.Client, error) {
	if client.IDTokenSignedResponseAlg == "" {
		client.IDTokenSignedResponseAlg = string(oidc.DefaultSigningAlg(e.Keys.Algs()))
	}
	var problems []string
	e.Provided.CheckClient(client, func(field, text string) { problems = append(problems, field+": "+text) })
	if problems == nil {
		return client, nil
	}
	return client, oidc.InvalidRequest.Errorf("%s", strings.Join(problems, "; "))
}

// redirectBody is the body of POST /console/clients/{id}/redirect_uris.
type redirectBody struct {
	RedirectURI           string `json:"redirect_uri,omitempty"`
	PostLogoutRedirectURI string `json:"post_logout_redirect_uri,omitempty"` // instead of redirect_uri, or beside it
	// ReturnTo is a path of the provider; for the form of an error page.
	ReturnTo string `json:"return_to,omitempty"`
}

// addRedirectURI is POST /console/clients/{id}/redirect_uris, as JSON or as the form of an error page. A missing client
// is made, public and first-party. With a redirect URI the client also gets the usual addresses after a sign-out. The
// answer to a form is a redirect to return_to.
func (e *Endpoint) addRedirectURI(w http.ResponseWriter, r *http.Request) (any, error) {
	var asked redirectBody
	isForm := oidc.ParseForm(r) == nil && len(r.PostForm) > 0
	if isForm {
		asked.RedirectURI, asked.ReturnTo = r.PostForm.Get("redirect_uri"), r.PostForm.Get("return_to")
	} else if err := readJSON(r, &asked); err != nil {
		return nil, err
	}
	if asked.RedirectURI == "" && asked.PostLogoutRedirectURI == "" {
		return nil, oidc.InvalidRequest.Errorf("redirect_uri is missing, and post_logout_redirect_uri too: send one of both")
	}
	client, err := e.withAddresses(r.Context(), r.PathValue("id"), asked)
	if err != nil {
		return nil, err
	}
	if isForm {
		http.Redirect(w, r, pathOfOurs(asked.ReturnTo), http.StatusSeeOther)
		return nil, nil
	}
	return e.clientAnswer(client, "", e.redirectURIs(r.Context()))
}

func (e *Endpoint) withAddresses(ctx context.Context, id string, add redirectBody) (client oidc.Client, err error) {
	err = e.update(ctx, id, func(old oidc.Client, known bool) (oidc.Client, error) {
		client = old
		if !known {
			client = oidc.Client{ClientID: id, TokenEndpointAuthMethod: oidc.AuthMethodNone, FirstParty: true}
		}
		client.RedirectURIs = withNew(client.RedirectURIs, add.RedirectURI)
		client.PostLogoutRedirectURIs = withNew(client.PostLogoutRedirectURIs,
			append(oidc.SignOutAddresses(add.RedirectURI), add.PostLogoutRedirectURI)...)
		client, err = e.checked(client)
		return client, err
	})
	return client, err
}

// withNew returns the list with each address that is not empty and not in it. The port of a loopback address does not
// count.
func withNew(list []string, addresses ...string) []string {
	list = slices.Clone(list)
	for _, address := range addresses {
		if address != "" && !oidc.MatchRedirectURI(list, address) {
			list = append(list, address)
		}
	}
	return list
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
