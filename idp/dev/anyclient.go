package dev

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// The bounds of anyClients. The client used least recently and the oldest addresses make room.
const (
	maxAnyClients = 100
	maxAddresses  = 20      // redirect URIs of one client, and as many addresses after the sign-out
	maxAddress    = 2000    // bytes of an address
	maxClientID   = 200     // bytes
	maxBody       = 1 << 16 // bytes of a form that are searched for a client
)

// anyClients are the clients that any_client lets in. A client is made of its requests: its redirect URIs have hosts of
// this machine, and its secret is the one that it sends. They are in memory only. A nil *anyClients lets in nobody.
type anyClients struct {
	alg     string // of ID tokens
	machine endpoint.Machine
	log     *slog.Logger
	mutex   sync.Mutex // for one change at a time
	seen    *lru.Cache[string, *oidc.Client]
}

func newAnyClients(alg string, machine endpoint.Machine, log *slog.Logger) *anyClients {
	seen, err := lru.New[string, *oidc.Client](maxAnyClients)
	if err != nil {
		panic(err) // the size is positive
	}
	return &anyClients{alg: alg, machine: machine, log: log, seen: seen}
}

// ByID implements clients.Unregistered.
func (a *anyClients) ByID(id string) *oidc.Client {
	client, _ := a.seen.Get(id)
	return client
}

// AllowsOrigin implements clients.Unregistered. Each origin of this machine is allowed: its script may be about to send
// the first request of a client.
func (a *anyClients) AllowsOrigin(origin string) bool { return a.isLocal(origin) }

// All implements clients.Unregistered.
func (a *anyClients) All() (all []oidc.Client) {
	for _, client := range slices.Backward(a.seen.Values()) {
		all = append(all, *client)
	}
	return all
}

// Reset implements clients.Unregistered.
func (a *anyClients) Reset() { a.seen.Purge() }

// admit lets the client of the request in, unless the register has it. The request must come from this machine, and
// needs a redirect_uri with a host of this machine, except that of a client that was let in before.
func (a *anyClients) admit(r *http.Request, e endpoint.Endpoint, register *clients.Register) {
	if a == nil || !a.machine.Sent(r) {
		return
	}
	sent := sentBy(r, e)
	if len(sent.clientID) > maxClientID {
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	old := a.ByID(sent.clientID)
	if _, err := register.ByID(r.Context(), sent.clientID); old == nil && !errors.Is(err, clients.ErrUnknown) {
		return // it is registered, or the store does not answer
	}
	client := oidc.Client{ClientID: sent.clientID, FirstParty: true, IDTokenSignedResponseAlg: a.alg,
		TokenEndpointAuthMethod: oidc.AuthMethodNone,
		GrantTypes:              []string{oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantDeviceCode}}
	if old != nil {
		client = *old
	}
	client.RedirectURIs = a.withAddress(client.RedirectURIs, sent.redirectURI)
	client.PostLogoutRedirectURIs = a.withAddress(client.PostLogoutRedirectURIs, sent.postLogoutRedirectURI)
	for _, uri := range oidc.SignOutAddresses(sent.redirectURI) {
		client.PostLogoutRedirectURIs = a.withAddress(client.PostLogoutRedirectURIs, uri)
	}
	sent.authenticate(&client)
	if len(client.RedirectURIs) == 0 || len(client.Problems(true)) > 0 {
		return
	}
	a.seen.Add(client.ClientID, &client)
	if old == nil {
		a.tell(r.Context(), client)
	}
}

// tell reports a new client in the log and in the trace.
func (a *anyClients) tell(ctx context.Context, client oidc.Client) {
	const text = "a client that is not registered is let in, because any_client is on"
	a.log.Warn(text, "client_id", client.ClientID, "redirect_uri", client.RedirectURIs[0])
	trace.Emit(ctx, trace.Step{Kind: trace.KindClient, Spec: "any_client", Text: text, Outcome: trace.Noted,
		Values: []trace.Value{trace.Plain("client_id", client.ClientID)}})
}

// sent is what a request tells about its client.
type sent struct {
	clientID, redirectURI, postLogoutRedirectURI string
	secret                                       string // empty: none
	proves                                       bool   // by code_challenge or code_verifier (RFC 7636)
	begins                                       bool   // it asks for a code
}

// sentBy reads the request, which the endpoint can then read again.
func sentBy(r *http.Request, e endpoint.Endpoint) sent {
	form, _ := oidc.ParseQuery(r.URL.RawQuery) // a rest that cannot be read is ignored
	if r.Method == http.MethodPost {
		form = postedBy(r)
	}
	s := sent{
		clientID: form.Get("client_id"), redirectURI: form.Get("redirect_uri"),
		postLogoutRedirectURI: form.Get("post_logout_redirect_uri"),
		proves:                form.Get("code_challenge") != "" || form.Get("code_verifier") != "",
		begins:                form.Get("response_type") != "",
	}
	if e.Audience != endpoint.Programs {
		return s
	}
	s.secret = form.Get("client_secret")
	if user, password, ok := oidc.BasicAuth(r.Header); ok {
		id, errID := url.QueryUnescape(user) // RFC 6749 §2.3.1
		secret, errSecret := url.QueryUnescape(password)
		if errID == nil && errSecret == nil {
			s.clientID, s.secret = id, secret
		}
	}
	return s
}

// postedBy returns the parameters of the body.
func postedBy(r *http.Request) url.Values {
	if r.PostForm != nil {
		return r.PostForm
	}
	begin, _ := io.ReadAll(io.LimitReader(r.Body, maxBody)) // the endpoint meets the same error
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(begin), r.Body), r.Body}
	form, _ := oidc.ParseQuery(string(begin))
	return form
}

// authenticate makes the client confidential if it sends a secret, and public if it sends none but proves itself by
// PKCE. A request for a code without code_challenge comes from a confidential client: its secret comes later.
func (s sent) authenticate(client *oidc.Client) {
	switch {
	case s.secret != "":
		client.TokenEndpointAuthMethod, client.ClientSecret = "", oidc.NewSecret(s.secret)
	case s.begins && !s.proves && client.Public():
		client.TokenEndpointAuthMethod, client.ClientSecret = "", oidc.NewSecret(rand.Text())
	case !s.begins && s.proves:
		client.TokenEndpointAuthMethod, client.ClientSecret = oidc.AuthMethodNone, oidc.Secret{}
	}
}

// withAddress returns the list with the address at its end, if that has a host of this machine and is new.
func (a *anyClients) withAddress(list []string, address string) []string {
	if !a.isLocal(address) || len(address) > maxAddress || slices.Contains(list, address) {
		return list
	}
	if len(list) == maxAddresses {
		list = list[1:]
	}
	return append(slices.Clone(list), address)
}

func (a *anyClients) isLocal(address string) bool {
	u, err := url.Parse(address)
	return err == nil && oidc.Origin(address) != "" && a.machine.IsLocal(u.Hostname())
}
