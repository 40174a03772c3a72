package rp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" // RFC 7523 §2.2
	assertionLifetime = time.Minute                                              // also of request objects

	tokenTypeBearer = "Bearer"
	tokenTypeDPoP   = "DPoP"
	proofType       = "dpop+jwt" // RFC 9449 §4.2
	maxNonces       = 64         // servers whose nonce is remembered
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

// authMethod is the client's authentication method at d. Discovery §3: the default is client_secret_basic.
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
	endpoint := oauth2.Endpoint{AuthURL: d.metadata.AuthorizationEndpoint, TokenURL: d.metadata.TokenEndpoint,
		AuthStyle: oauth2.AuthStyleInParams}
	return &oauth2.Config{ClientID: p.config.ClientID, Endpoint: endpoint, RedirectURL: p.config.redirectURI(silent),
		Scopes: p.config.Scopes}
}

// transport makes a new client assertion and DPoP proof for each request, because a server accepts a jti once. When the
// server asks for a nonce in the proof (RFC 9449 §8), it sends the request a second time.
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
		form, err := oidc.ParseQuery(string(body))
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
	if err == nil && response.Header.Get("DPoP-Nonce") != "" { // RFC 9449 §8.2: for the next proof
		t.prover.nonces.Add(oidc.Origin(attempt.URL.String()), response.Header.Get("DPoP-Nonce"))
	}
	return response, err
}

// wantsNonce is true when the server asks for a DPoP nonce: RFC 9449 §8 (authorization server), §9 (API). The body can
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
		var refusal struct {
			Error string `json:"error"`
		}
		return err == nil && josejson.Unmarshal(body, &refusal) == nil && refusal.Error == code
	}
	return false
}

// post sends form to an endpoint that authenticates clients, and decodes the JSON of a successful answer into into.
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
		if josejson.Unmarshal(body, &e) != nil || e.Code == "" {
			return ProviderDown.Errorf("%s answered %s without an error code (RFC 6749 section 5.2)",
				clip(endpoint), response.Status)
		}
		return providerError(string(e.Code), e.Description)
	case into != nil && josejson.Unmarshal(body, into) != nil:
		return oidc.ServerError.Errorf("the answer of %s is no JSON object, or a name is there twice", clip(endpoint))
	}
	return nil
}

// prover makes DPoP proofs with one key (RFC 9449 §4), and remembers the last nonce of each server (§8).
type prover struct {
	key        jose.SigningKey
	public     jose.JSONWebKey
	thumbprint string // dpop_jkt: RFC 9449 §10
	now        func() time.Time
	nonces     *lru.Cache[string, string] // by origin
}

func newDPoPKey() *jose.JSONWebKey {
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader) // never fails: see crypto/rand
	return &jose.JSONWebKey{Key: key, Algorithm: string(jose.ES256)}
}

// newProver returns nil when c asks for bearer tokens. The key has been checked.
func newProver(c Config) *prover {
	if !c.DPoP {
		return nil
	}
	public := c.DPoPKey.Public()
	public.KeyID, public.Algorithm, public.Use = "", "", ""
	nonces, _ := lru.New[string, string](maxNonces) // fails for a size below 1 only
	key := jose.SigningKey{Algorithm: jose.SignatureAlgorithm(c.DPoPKey.Algorithm), Key: c.DPoPKey.Key}
	return &prover{key: key, public: public, thumbprint: thumbprint(public), now: c.Now, nonces: nonces}
}

// thumbprint returns the jkt of a key: RFC 7638 with SHA-256.
func thumbprint(key jose.JSONWebKey) string {
	sum, _ := key.Thumbprint(crypto.SHA256) // nil for a key of an unknown kind
	return base64.RawURLEncoding.EncodeToString(sum)
}

// prove adds a proof to r: for the token in its Authorization header, if there is one (§7), or for a new token (§5).
func (p *prover) prove(r *http.Request) error {
	claims := map[string]any{"jti": rand.Text(), "htm": r.Method, "htu": htu(r.URL), "iat": p.now().Unix()}
	if nonce, known := p.nonces.Get(oidc.Origin(r.URL.String())); known {
		claims["nonce"] = nonce
	}
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	if found && strings.EqualFold(scheme, tokenTypeDPoP) {
		claims["ath"] = ath(token)
	}
	signer, err := jose.NewSigner(p.key, (&jose.SignerOptions{}).WithType(proofType).WithHeader("jwk", p.public))
	if err != nil {
		return err
	}
	proof, err := jwt.Signed(signer).Claims(claims).Serialize()
	r.Header.Set("DPoP", proof)
	return err
}

// htu returns the claim htu. RFC 9449 §4.2: "The HTTP target URI … without query and fragment parts".
func htu(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}

// ath returns the claim ath: the hash of the access token (RFC 9449 §4.2).
func ath(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// tokenType is the accepted token_type. RFC 9449 §5: a client that asks for a bound token must discard any other.
func (p *RP) tokenType() string {
	if p.prover != nil {
		return tokenTypeDPoP
	}
	return tokenTypeBearer
}

// Client calls APIs with the access token of TokenSource, and with a DPoP proof when DPoP is configured. It follows no
// redirects, because they would get the token. With DPoP it reads the body into memory, because an API that asks for a
// nonce gets the request twice.
func (p *RP) Client(r *http.Request) *http.Client {
	base := transport{next: http.DefaultTransport, prover: p.prover}
	return &http.Client{
		Transport:     &oauth2.Transport{Source: p.TokenSource(r), Base: base},
		CheckRedirect: p.provider.client.CheckRedirect,
	}
}
