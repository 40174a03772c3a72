package idptest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Tokens are all tokens of a user for a client. One that the client does not get is empty.
type Tokens struct {
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
}

// Want is what Token may be asked for beside user and client: the members of POST /console/tokens (docs/testing.md),
// such as {"scope": "openid"}, {"claims": {"groups": ["admin"]}} and {"expired": true}.
type Want map[string]any

// Token returns tokens of the user for the client without a sign-in: the provider accepts them like any other. Without
// a user they are the client's own.
func (p *Provider) Token(t testing.TB, user, client string, want ...Want) (tokens Tokens) {
	t.Helper()
	body := map[string]any{"user": user, "client": client}
	for _, more := range want {
		for name, value := range more {
			body[name] = value
		}
	}
	p.API(t, http.MethodPost, "/tokens", body, &tokens)
	return tokens
}

// AddUser adds a user, or replaces the one with this name, which is the password too. claims may be nil.
func (p *Provider) AddUser(t testing.TB, username string, claims map[string]any) {
	t.Helper()
	p.API(t, http.MethodPut, "/users/"+url.PathEscape(username), map[string]any{"claims": claims}, nil)
}

// AddClient adds a public first-party client with these redirect URIs, or replaces the one with this client_id. API can
// add any other client.
func (p *Provider) AddClient(t testing.TB, clientID string, redirectURIs ...string) {
	t.Helper()
	p.API(t, http.MethodPut, "/clients/"+url.PathEscape(clientID), map[string]any{
		"token_endpoint_auth_method": "none", "first_party": true, "redirect_uris": redirectURIs,
	}, nil)
}

// Reset brings the provider back to its configuration and ends all sign-ins. The Clock stays.
func (p *Provider) Reset(t testing.TB) {
	t.Helper()
	p.API(t, http.MethodPost, "/reset", map[string]any{}, nil)
}

// API sends a request of the interface for development (docs/testing.md), at a path below /console. It reads the answer
// into to, unless to is nil. The provider must be in development mode.
func (p *Provider) API(t testing.TB, method, path string, body, to any) {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, p.Issuer+"/console"+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s /console%s: %s %s %v", method, path, response.Status, answer, err)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal(answer, to); err != nil {
		t.Fatalf("%s /console%s answers %s: %v", method, path, answer, err)
	}
}

// Walk follows the redirects of a page as long as they lead to the provider, and presses Allow where the provider asks
// for consent. It returns the first page that leads elsewhere, mostly to the application, or that needs a person.
func (b *Browser) Walk(page Page) Page {
	b.t.Helper()
	for range 20 { // more than any sign-in needs
		switch {
		case page.Location != nil && strings.HasPrefix(page.Location.String(), b.provider.Issuer+"/"):
			page = b.Get(page.Location.String())
		case page.Location == nil && strings.Contains(page.Body, `name="decision"`):
			page = b.Submit(page, url.Values{"decision": {"allow"}})
		default:
			return page
		}
	}
	b.t.Fatalf("the provider redirects without an end: %v", page.Location)
	return page
}
