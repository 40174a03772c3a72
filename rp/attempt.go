package rp

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"

	"github.com/hush-idp/hush/oidc"
)

// attempts sends requests in which something is fresh each time: a client assertion and a DPoP proof have a jti that a
// server takes once. When the server asks for a nonce in the proof (RFC 9449 §8) it sends the request again, once.
type attempts struct {
	next   http.RoundTripper
	prover *prover                                         // nil: bearer tokens
	login  func(form url.Values, header http.Header) error // nil: no client authentication
}

// client sends requests of this client's to the provider. With login they authenticate the client.
func (p *RP) client(login func(url.Values, http.Header) error) *http.Client {
	copied := *p.provider.client
	copied.Transport = attempts{next: p.provider.client.Transport, prover: p.prover, login: login}
	return &copied
}

// asClient makes oauth2 authenticate as this client, at d.
func (p *RP) asClient(ctx context.Context, d *discovered) context.Context {
	return gooidc.ClientContext(ctx, p.client(func(form url.Values, header http.Header) error {
		return p.authenticate(d, form, header)
	}))
}

// RoundTrip implements http.RoundTripper.
func (a attempts) RoundTrip(r *http.Request) (*http.Response, error) {
	if a.prover == nil && a.login == nil {
		return a.next.RoundTrip(r)
	}
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	response, err := a.once(r, body)
	if err != nil || a.prover == nil || !wantsNonce(response) {
		return response, err
	}
	response.Body.Close()
	return a.once(r, body)
}

func readBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	defer r.Body.Close()
	return io.ReadAll(r.Body)
}

// once sends a copy of r, since a RoundTripper must not change its request.
func (a attempts) once(r *http.Request, body []byte) (*http.Response, error) {
	attempt := r.Clone(r.Context())
	if a.login != nil {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		if err := a.login(form, attempt.Header); err != nil {
			return nil, err
		}
		body = []byte(form.Encode())
	}
	if r.Body != nil {
		attempt.Body, attempt.ContentLength, attempt.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	}
	if a.prover == nil {
		return a.next.RoundTrip(attempt)
	}
	if err := a.prover.prove(attempt); err != nil {
		return nil, err
	}
	response, err := a.next.RoundTrip(attempt)
	if err == nil {
		a.prover.remember(attempt.URL, response.Header.Get("DPoP-Nonce"))
	}
	return response, err
}

// wantsNonce tells whether the answer is that of RFC 9449 §8 (an authorization server's) or §9 (an API's). The body can still be
// read afterwards.
func wantsNonce(response *http.Response) bool {
	const code = string(oidc.UseDPoPNonce)
	if response.Header.Get("DPoP-Nonce") == "" {
		return false
	}
	switch response.StatusCode {
	case http.StatusUnauthorized:
		return strings.Contains(strings.Join(response.Header.Values("WWW-Authenticate"), ","), `error="`+code+`"`)
	case http.StatusBadRequest:
		body, err := io.ReadAll(io.LimitReader(response.Body, maxResponse))
		response.Body = rest{io.MultiReader(bytes.NewReader(body), response.Body), response.Body}
		var refusal struct{ Error string }
		return err == nil && json.Unmarshal(body, &refusal) == nil && refusal.Error == code
	}
	return false
}

// rest is a body of which the beginning has been read.
type rest struct {
	io.Reader
	io.Closer
}
