package console

import (
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// client reads the form. Whether it makes a good client is for oidc.Client to say.
func (f clientForm) client() (oidc.Client, error) {
	access, err := duration("access_token_lifetime", f.AccessTokenLifetime)
	if err != nil {
		return oidc.Client{}, err
	}
	id, err := duration("id_token_lifetime", f.IDTokenLifetime)
	return oidc.Client{
		ClientID: f.ClientID, ClientName: f.ClientName, ClientSecret: oidc.NewSecret(f.ClientSecret),
		TokenEndpointAuthMethod: f.TokenEndpointAuthMethod, RedirectURIs: f.RedirectURIs, PostLogoutRedirectURIs: f.PostLogoutRedirectURIs,
		Scope: f.Scope, FirstParty: f.FirstParty, RequirePKCE: f.RequirePKCE, AccessTokenLifetime: access, IDTokenLifetime: id,
		IDTokenSignedResponseAlg: f.IDTokenSignedResponseAlg, DefaultMaxAge: f.DefaultMaxAge, Audience: f.Audience,
		ClientURI: f.ClientURI, LogoURI: f.LogoURI, PolicyURI: f.PolicyURI, TosURI: f.TosURI,
	}, err
}

// formOf writes the client as a form. The secret is not known any more.
func formOf(c oidc.Client) clientForm {
	return clientForm{
		ClientID: c.ClientID, ClientName: c.ClientName,
		TokenEndpointAuthMethod: c.TokenEndpointAuthMethod, RedirectURIs: orEmpty(c.RedirectURIs), PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		Scope: c.Scope, FirstParty: c.FirstParty, RequirePKCE: c.RequirePKCE,
		AccessTokenLifetime: lifetimeText(c.AccessTokenLifetime), IDTokenLifetime: lifetimeText(c.IDTokenLifetime),
		IDTokenSignedResponseAlg: c.IDTokenSignedResponseAlg, DefaultMaxAge: c.DefaultMaxAge, Audience: c.Audience,
		ClientURI: c.ClientURI, LogoURI: c.LogoURI, PolicyURI: c.PolicyURI, TosURI: c.TosURI,
	}
}

// lifetimeText is empty for the default, and 5m rather than 5m0s.
func lifetimeText(d time.Duration) string {
	if d == 0 {
		return ""
	}
	text := d.String()
	for _, whole := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, whole) {
			text = text[:len(text)-2]
		}
	}
	return text
}
