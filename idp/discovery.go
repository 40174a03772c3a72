package idp

import (
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/requestobject"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/oidc"
)

// cacheFor lets browsers and clients keep the metadata and the keys for a minute, so a changed key is soon seen.
const cacheFor = "public, max-age=60"

// metadata describes the provider: what it says here works, and what works is said here.
func (p *site) metadata() oidc.Metadata {
	m := oidc.Metadata{
		Issuer: p.config.Issuer,

		ScopesSupported:                            p.config.KnownScope(),
		ResponseTypesSupported:                     []string{"code"},
		ResponseModesSupported:                     authorize.ResponseModes(),
		GrantTypesSupported:                        token.GrantTypes(),
		SubjectTypesSupported:                      p.subjects.Types(),
		IDTokenEncryptionAlgValuesSupported:        oidc.EncryptionAlgs(),
		IDTokenEncryptionEncValuesSupported:        oidc.EncryptionEncs(),
		UserinfoSigningAlgValuesSupported:          p.algs(),
		UserinfoEncryptionAlgValuesSupported:       oidc.EncryptionAlgs(),
		UserinfoEncryptionEncValuesSupported:       oidc.EncryptionEncs(),
		IDTokenSigningAlgValuesSupported:           p.algs(),
		TokenEndpointAuthMethodsSupported:          clientauth.Methods(),
		TokenEndpointAuthSigningAlgValuesSupported: oidc.AssertionAlgs(),
		DPoPSigningAlgValuesSupported:              dpopAlgs(),
		CodeChallengeMethodsSupported:              []string{"S256"},
		PromptValuesSupported:                      oidc.KnownPrompts(),
		DisplayValuesSupported:                     []string{"page", "popup"},
		ACRValuesSupported:                         p.authorize.Levels.Values(),
		ClaimTypesSupported:                        []string{"normal"},
		ClaimsSupported:                            p.claimsSupported(),
		UILocalesSupported:                         p.pages.Languages(),

		RequestObjectSigningAlgValuesSupported:     requestobject.Algorithms(),
		AuthorizationSigningAlgValuesSupported:     p.algs(),
		ClaimsParameterSupported:                   true,
		RequestParameterSupported:                  true,
		RequestURIParameterSupported:               true,
		RequireRequestURIRegistration:              true,
		AuthorizationResponseIssParameterSupported: true,
	}
	for _, e := range p.endpoints() {
		if e.Describe != nil {
			e.Describe(&m)
		}
	}
	return m
}

func (p *site) algs() []string {
	var algs []string
	for _, alg := range p.keys.Algs() {
		algs = append(algs, string(alg))
	}
	return algs
}

func (p *site) claimsSupported() []string {
	always := []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr"}
	return append(always, p.authorize.Release.Names(p.config.KnownScope())...)
}

// serveMetadata is GET /.well-known/openid-configuration and its sibling of RFC 8414.
func (p *site) serveMetadata(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", cacheFor)
	return c.JSON(http.StatusOK, p.metadata())
}

// serveJWKS is GET /jwks (RFC 7517 §5). Who caches it for longer than it takes until a new key signs meets an unknown kid.
func (p *site) serveJWKS(c echo.Context) error {
	set, err := p.keys.Public()
	if err != nil {
		return err
	}
	c.Response().Header().Set("Cache-Control", "public, max-age=5")
	return c.JSON(http.StatusOK, set)
}

// Ready waits for the signing keys and returns why one cannot be used.
func (p *Provider) Ready() error { return p.ready() }

func (h *shared) ready() error {
	if err := h.keys.Ready(); err != nil {
		return fmt.Errorf("the signing keys are not usable: %w", err)
	}
	return nil
}
