package rp

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// assertionLifetime is how long a client assertion or a request object is good: the provider reads it at once.
const assertionLifetime = time.Minute

// assertionType is RFC 7523 §2.2.
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientAuthentication adds to a form, or to the header of its request, what proves who sends it: Core §9.
type clientAuthentication func(p *RP, form url.Values, header http.Header) error

var clientAuthentications = map[string]clientAuthentication{
	oidc.AuthMethodNone: func(*RP, url.Values, http.Header) error { return nil },
	oidc.AuthMethodBasic: func(p *RP, form url.Values, header http.Header) error {
		form.Del("client_id")
		(&http.Request{Header: header}).SetBasicAuth(url.QueryEscape(p.config.ClientID), url.QueryEscape(p.config.ClientSecret)) // RFC 6749 §2.3.1
		return nil
	},
	oidc.AuthMethodPost: func(p *RP, form url.Values, _ http.Header) error {
		form.Set("client_secret", p.config.ClientSecret)
		return nil
	},
	oidc.AuthMethodSecretJWT: func(p *RP, form url.Values, _ http.Header) error {
		return p.assert(form, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(p.config.ClientSecret)})
	},
	oidc.AuthMethodPrivateJWT: func(p *RP, form url.Values, _ http.Header) error {
		return p.assert(form, signingKeyOf(p.config.ClientKey))
	},
}

// authMethod is how this client authenticates at d. Discovery §3: "If omitted, the default is client_secret_basic".
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

func (c Config) authMethodProblem() error {
	method := c.TokenEndpointAuthMethod
	_, known := clientAuthentications[method]
	switch {
	case method == "":
		return nil
	case !known:
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

// authenticate puts the client's authentication into form or header.
func (p *RP) authenticate(d *discovered, form url.Values, header http.Header) error {
	form.Set("client_id", p.config.ClientID)
	return clientAuthentications[p.config.authMethod(d)](p, form, header)
}

// assert adds a client assertion (RFC 7523 §3). Its audience is the issuer alone, so that no other server can use it.
func (p *RP) assert(form url.Values, key jose.SigningKey) error {
	assertion, err := p.sign(key, "", map[string]any{"sub": p.config.ClientID})
	form.Set("client_assertion_type", assertionType)
	form.Set("client_assertion", assertion)
	return err
}

// sign makes a JWT of this client's for the provider, with claims and those that bound it.
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

// signingKeyOf keeps kid and alg of a private key.
func signingKeyOf(key *jose.JSONWebKey) jose.SigningKey {
	return jose.SigningKey{Algorithm: jose.SignatureAlgorithm(key.Algorithm), Key: key}
}

// JWKS publishes the public halves of ClientKey and DecryptionKeys: GET, where the client's registered jwks_uri is.
func (p *RP) JWKS(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	if p.config.ClientKey != nil {
		set.Keys = append(set.Keys, public(*p.config.ClientKey, "sig"))
	}
	for _, key := range p.config.DecryptionKeys {
		set.Keys = append(set.Keys, public(key, "enc"))
	}
	writeJSON(w, http.StatusOK, set)
}

func public(key jose.JSONWebKey, use string) jose.JSONWebKey {
	key = key.Public()
	key.Use = use
	return key
}
