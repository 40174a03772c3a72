package rp

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	// of client assertions and request objects
	assertionLifetime = time.Minute
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
)

// authenticate adds the client's authentication at d to form, or to the header of its request (Core §9).
func (p *RP) authenticate(d *discovered, form url.Values, header http.Header) error {
	form.Set("client_id", p.config.ClientID)
	switch p.config.authMethod(d) {
	case oidc.AuthMethodBasic:
		form.Del("client_id")
		id, secret := url.QueryEscape(p.config.ClientID), url.QueryEscape(p.config.ClientSecret) // RFC 6749 §2.3.1
		(&http.Request{Header: header}).SetBasicAuth(id, secret)
	case oidc.AuthMethodPost:
		form.Set("client_secret", p.config.ClientSecret)
	case oidc.AuthMethodSecretJWT:
		return p.assert(form, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(p.config.ClientSecret)})
	case oidc.AuthMethodPrivateJWT:
		return p.assert(form, signingKeyOf(p.config.ClientKey))
	}
	return nil
}

// authMethod is the client's authentication method at d. Discovery §3: "If omitted, the default is
// client_secret_basic".
func (c Config) authMethod(d *discovered) string {
	offered := d.metadata.TokenEndpointAuthMethodsSupported
	switch {
	case c.TokenEndpointAuthMethod != "":
		return c.TokenEndpointAuthMethod
	case c.ClientKey != nil:
		return oidc.AuthMethodPrivateJWT
	case c.ClientSecret == "":
		return oidc.AuthMethodNone
	case len(offered) > 0 && !slices.Contains(offered, oidc.AuthMethodBasic):
		return oidc.AuthMethodPost
	}
	return oidc.AuthMethodBasic
}

func (c Config) checkAuthMethod() error {
	switch method := c.TokenEndpointAuthMethod; {
	case !slices.Contains([]string{"", oidc.AuthMethodNone, oidc.AuthMethodBasic, oidc.AuthMethodPost,
		oidc.AuthMethodSecretJWT, oidc.AuthMethodPrivateJWT}, method):
		return fmt.Errorf("rp: TokenEndpointAuthMethod %q is not one of Core §9", method)
	case method == oidc.AuthMethodPrivateJWT && c.ClientKey == nil:
		return errors.New("rp: private_key_jwt needs a ClientKey")
	case method == oidc.AuthMethodSecretJWT && len(c.ClientSecret) < 32:
		return errors.New("rp: client_secret_jwt needs a ClientSecret of at least 32 bytes (RFC 7518 §3.2)")
	case c.ClientSecret == "" && (method == oidc.AuthMethodBasic || method == oidc.AuthMethodPost):
		return fmt.Errorf("rp: %s needs a ClientSecret", method)
	}
	return nil
}

// assert adds a client assertion (RFC 7523 §3). Its only audience is the issuer, so that no other server can use it.
func (p *RP) assert(form url.Values, key jose.SigningKey) error {
	assertion, err := p.sign(key, "", map[string]any{"sub": p.config.ClientID})
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", assertion)
	return err
}

// sign makes a JWT from this client to the provider, with claims and iss, aud, jti, iat, nbf and exp.
func (p *RP) sign(key jose.SigningKey, typ jose.ContentType, claims map[string]any) (string, error) {
	options := &jose.SignerOptions{}
	if typ != "" {
		options.WithType(typ)
	}
	signer, err := jose.NewSigner(key, options)
	if err != nil {
		return "", err
	}
	now := p.config.Now()
	bounds := map[string]any{
		"iss": p.config.ClientID, "aud": p.config.Issuer, "jti": rand.Text(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
	}
	return jwt.Signed(signer).Claims(claims).Claims(bounds).Serialize()
}

// signingKeyOf includes kid and alg of a private key.
func signingKeyOf(key *jose.JSONWebKey) jose.SigningKey {
	return jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}
}

// JWKS publishes the public halves of ClientKey and DecryptionKeys: GET, mounted at the client's registered jwks_uri.
func (p *RP) JWKS(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	add := func(key jose.JSONWebKey, use string) {
		key = key.Public()
		key.Use = use
		set.Keys = append(set.Keys, key)
	}
	if p.config.ClientKey != nil {
		add(*p.config.ClientKey, "sig")
	}
	for _, key := range p.config.DecryptionKeys {
		add(key, "enc")
	}
	writeJSON(w, http.StatusOK, set)
}

// oauth2 is the configuration of x/oauth2 for d. transport adds the client's authentication.
func (p *RP) oauth2(d *discovered, silent bool) *oauth2.Config {
	endpoint := d.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &oauth2.Config{
		ClientID: p.config.ClientID, Endpoint: endpoint, RedirectURL: p.config.redirectURI(silent), Scopes: p.config.Scopes,
	}
}

// transport makes new one-time values for each request: a server accepts the jti of a client assertion or a DPoP proof
// once. When the server asks for a nonce in the proof (RFC 9449 §8), it sends the request a second time.
type transport struct {
	next         http.RoundTripper
	prover       *prover                                         // nil: bearer tokens
	authenticate func(form url.Values, header http.Header) error // nil: no client authentication
}

// httpClient sends requests of this client to the provider: with a DPoP proof when DPoP is configured, and with client
// authentication when d is not nil.
func (p *RP) httpClient(d *discovered) *http.Client {
	copied, t := *p.provider.client, transport{next: p.provider.client.Transport, prover: p.prover}
	if d != nil {
		t.authenticate = func(form url.Values, header http.Header) error { return p.authenticate(d, form, header) }
	}
	copied.Transport = t
	return &copied
}

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.prover == nil && t.authenticate == nil {
		return t.next.RoundTrip(r)
	}
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	response, err := t.send(r, body)
	if err != nil || t.prover == nil || !wantsNonce(response) {
		return response, err
	}
	response.Body.Close()
	return t.send(r, body)
}

// send sends a copy of r, because a RoundTripper must not change its request.
func (t transport) send(r *http.Request, body []byte) (*http.Response, error) {
	attempt := r.Clone(r.Context())
	if t.authenticate != nil {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, err
		}
		if err := t.authenticate(form, attempt.Header); err != nil {
			return nil, err
		}
		body = []byte(form.Encode())
	}
	if r.Body != nil {
		attempt.Body, attempt.ContentLength, attempt.GetBody = io.NopCloser(bytes.NewReader(body)), int64(len(body)), nil
	}
	if t.prover == nil {
		return t.next.RoundTrip(attempt)
	}
	if err := t.prover.prove(attempt); err != nil {
		return nil, err
	}
	response, err := t.next.RoundTrip(attempt)
	if err == nil {
		t.prover.remember(attempt.URL, response.Header.Get("DPoP-Nonce"))
	}
	return response, err
}

// wantsNonce tells whether the server asks for a DPoP nonce: RFC 9449 §8 (authorization server), §9 (API). The body can
// still be read afterwards.
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
		response.Body = struct {
			io.Reader
			io.Closer
		}{io.MultiReader(bytes.NewReader(body), response.Body), response.Body}
		var refusal struct{ Error string }
		return err == nil && json.Unmarshal(body, &refusal) == nil && refusal.Error == code
	}
	return false
}

// post sends form to an endpoint that authenticates clients, and decodes the JSON of a successful answer into into;
// nil: the body is ignored.
func (p *RP) post(ctx context.Context, d *discovered, endpoint string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, body, err := p.provider.exchange(p.httpClient(d), r)
	switch {
	case err != nil:
		return err
	case response.StatusCode/100 != 2: // RFC 6749 §5.2
		var e oidc.Error
		if json.Unmarshal(body, &e) != nil || e.Code == "" {
			return ProviderDown.Errorf("%s answered %s without an error code (RFC 6749 section 5.2)",
				clip(endpoint), response.Status)
		}
		return providerError(string(e.Code), e.Description)
	case into != nil && json.Unmarshal(body, into) != nil:
		return oidc.ServerError.Errorf("%s answered with something that is no JSON object", clip(endpoint))
	}
	return nil
}
