package oidc

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// registration tells what is wrong with the metadata of RFC 7591 §2 and OpenID Connect Registration §2 that need no
// more than themselves to be judged.
func (p *problems) registration(c Client) {
	p.among(
		"grant_types", c.GrantTypes, GrantAuthorizationCode, GrantRefreshToken, GrantClientCredentials, GrantDeviceCode,
	)
	p.among("response_types", c.ResponseTypes, "code")
	p.when(slices.Contains(c.ResponseTypes, "code") && !c.Grants(GrantAuthorizationCode), "response_types",
		"code belongs to grant_types authorization_code, which is not there: add it, or write an empty list (RFC 7591 §2.1)")
	p.when(c.Public() && slices.Contains(c.GrantTypes, GrantClientCredentials), "grant_types",
		"client_credentials is for confidential clients only (RFC 6749 §4.4): "+
			"choose another token_endpoint_auth_method than none")
	p.one("application_type", c.ApplicationType, "web", "native")
	p.one("subject_type", c.SubjectType, SubjectPublic, SubjectPairwise)
	p.https("initiate_login_uri", c.InitiateLoginURI, false)
	p.https("sector_identifier_uri", c.SectorIdentifierURI, true)
	p.https("jwks_uri", c.JWKSURI, true)
	p.keys(c)
	p.encryption("id_token", c.IDTokenEncryptedResponseAlg, c.IDTokenEncryptedResponseEnc)
	p.encryption("userinfo", c.UserinfoEncryptedResponseAlg, c.UserinfoEncryptedResponseEnc)
	p.frontchannel(c)
	p.when(
		strings.Contains(c.BackchannelLogoutURI, "#"), "backchannel_logout_uri",
		"%q has a fragment: remove it (Back-Channel Logout §2.2)", c.BackchannelLogoutURI,
	)
	p.webURI("backchannel_logout_uri", c.BackchannelLogoutURI)
	p.when(c.Public() && isPlain(c.BackchannelLogoutURI), "backchannel_logout_uri",
		"%q is http, which only confidential clients may have: use https (Back-Channel Logout §2.2)", c.BackchannelLogoutURI)
}

// isPlain tells whether the URI is http on a host that is not this machine.
func isPlain(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && u.Scheme == "http" && !IsLoopback(u.Hostname())
}

// among: each value is one of the known ones.
func (p *problems) among(field string, given []string, known ...string) {
	for i, value := range given {
		p.one(fmt.Sprintf("%s[%d]", field, i), value, known...)
	}
}

// one: the value, if there is one, is one of the known ones.
func (p *problems) one(field, value string, known ...string) {
	p.when(
		value != "" && !slices.Contains(known, value), field, "%q is not supported; known are %s", value,
		strings.Join(known, ", "),
	)
}

// https: the URL's scheme is https. An address of this machine may be http where that is for development only.
func (p *problems) https(field, uri string, loopback bool) {
	u, err := url.Parse(uri)
	switch {
	case uri == "" || err == nil && u.Scheme == "https" && u.Host != "":
	case loopback && err == nil && u.Scheme == "http" && IsLoopback(u.Hostname()):
	default:
		p.when(true, field, "%q is no https URL: write one like https://app.example.com/…", uri)
	}
}

// keys: Registration §2: "The jwks_uri and jwks parameters MUST NOT be used together." What a client publishes is
// public.
func (p *problems) keys(c Client) {
	p.when(c.JWKS != nil && c.JWKSURI != "", "jwks", "stands beside jwks_uri: keep one of the two")
	if c.JWKS == nil {
		return
	}
	p.when(
		len(c.JWKS.Keys) == 0, "jwks",
		"holds no key that can be read: write a JWK Set with the client's public keys (RFC 7517 §5)",
	)
	for i, key := range c.JWKS.Keys {
		at := fmt.Sprintf("jwks.keys[%d]", i)
		p.when(
			!key.IsPublic(), at,
			"is private, symmetric or no key at all: register public keys only, and replace a private one that was shown",
		)
		p.when(key.IsPublic() && !key.Valid(), at, "is no valid key")
	}
}

// encryption: Registration §2: "When id_token_encrypted_response_enc is included, id_token_encrypted_response_alg MUST
// also be provided", and the same for userinfo.
func (p *problems) encryption(of, alg, enc string) {
	p.one(of+"_encrypted_response_alg", alg, encryptionAlgs...)
	p.one(of+"_encrypted_response_enc", enc, encryptionEncs...)
	p.when(alg == "" && enc != "", of+"_encrypted_response_enc", "stands without %s_encrypted_response_alg: add that", of)
}

// frontchannel: Front-Channel Logout §2: "The domain, port, and scheme of this URL MUST be the same as that of a
// registered Redirection URI value."
func (p *problems) frontchannel(c Client) {
	if c.FrontchannelLogoutURI == "" {
		return
	}
	var origins []string
	for _, uri := range c.RedirectURIs {
		origins = append(origins, Origin(uri))
	}
	origin := Origin(c.FrontchannelLogoutURI)
	p.when(origin == "" || !MatchRedirectURI(origins, origin), "frontchannel_logout_uri",
		"%q has not the scheme, host and port of a redirect URI (Front-Channel Logout §2)", c.FrontchannelLogoutURI)
	p.when(
		strings.Contains(c.FrontchannelLogoutURI, "#"), "frontchannel_logout_uri", "%q has a fragment: remove it",
		c.FrontchannelLogoutURI,
	)
}

// DefaultEnc is the enc of what is encrypted to a client that names an alg only (Registration §2).
const DefaultEnc = string(jose.A128CBC_HS256)
