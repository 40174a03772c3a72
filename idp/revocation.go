package idp

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/introspect"
	"github.com/hush-idp/hush/idp/revoke"
	"github.com/hush-idp/hush/oidc"
)

// The paths where a token goes that is not for the provider's own userinfo.
const (
	pathRevoke     = "/revoke"     // RFC 7009
	pathIntrospect = "/introspect" // RFC 7662
)

// openRevocation opens the endpoints that revoke tokens and tell of them.
func (p *site) openRevocation(s Parts) {
	p.revoke = &revoke.Endpoint{Clients: p.clientAuth, Grants: p.grants, Tokens: p.access}
	p.introspect = &introspect.Endpoint{
		Issuer: p.config.Issuer, Clients: p.clientAuth, Register: p.clients, Grants: p.grants, Tokens: p.access,
		Sign: s.Signer, Alg: p.config.defaultAlg(), Now: p.deps.Now, Knows: p.knows,
	}
}

// describeRevocation adds them to the metadata.
func (p *site) describeRevocation(m *oidc.Metadata) {
	m.RevocationEndpoint, m.IntrospectionEndpoint = p.config.Issuer+pathRevoke, p.config.Issuer+pathIntrospect
	m.RevocationEndpointAuthMethodsSupported = m.TokenEndpointAuthMethodsSupported
	m.RevocationEndpointAuthSigningAlgValuesSupported = m.TokenEndpointAuthSigningAlgValuesSupported
	m.IntrospectionEndpointAuthMethodsSupported = oidc.Scope(m.TokenEndpointAuthMethodsSupported).Without(oidc.Scope{oidc.AuthMethodNone})
	m.IntrospectionEndpointAuthSigningAlgValuesSupported = m.TokenEndpointAuthSigningAlgValuesSupported
	m.IntrospectionSigningAlgValuesSupported = p.algs()
}

// serveRevoke is POST /revoke. RFC 7009 §2.2: "The content of the response body is ignored by the client".
func (p *site) serveRevoke(c echo.Context) error {
	if err := p.revoke.Revoke(c.Request()); err != nil {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// serveIntrospect is POST /introspect: JSON, or a JWT (RFC 9701).
func (p *site) serveIntrospect(c echo.Context) error {
	answer, err := p.introspect.Introspect(c.Request())
	switch {
	case err != nil:
		return err
	case answer.JWT != "":
		return c.Blob(http.StatusOK, answer.MediaType(), []byte(answer.JWT))
	}
	return c.JSON(http.StatusOK, answer.Claims)
}
