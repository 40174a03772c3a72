package oidc

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Problem is one thing wrong with a client's metadata: the name of the field (with an index where it is a list), and
// what was wrong, what was expected and what to do.
type Problem struct{ Field, Text string }

// Problems tells all that is wrong with the client by itself; nil for a good one.
func (c Client) Problems() []Problem {
	var p problems
	p.when(c.ClientID == "", "client_id", "is empty: every client needs a client_id")
	p.when(
		strings.ContainsFunc(c.ClientID, notVSCHAR), "client_id",
		"holds characters outside printable ASCII (RFC 6749 appendix A.1)",
	)
	p.when(
		len(c.RedirectURIs) == 0 && c.Grants(GrantAuthorizationCode), "redirect_uris",
		"is empty: the code flow needs at least one, for example http://localhost:5173/callback",
	)
	p.uris("redirect_uris", c.RedirectURIs)
	p.uris("post_logout_redirect_uris", c.PostLogoutRedirectURIs)
	p.webURI("client_uri", c.ClientURI)
	p.webURI("logo_uri", c.LogoURI)
	p.webURI("policy_uri", c.PolicyURI)
	p.webURI("tos_uri", c.TosURI)
	p.authMethod(c)
	p.registration(c)
	p.requests(c)
	p.lifetime("access_token_lifetime", c.AccessTokenLifetime)
	p.lifetime("id_token_lifetime", c.IDTokenLifetime)
	p.lifetime("refresh_token_lifetime", c.RefreshTokenLifetime)
	p.one("access_token_format", c.AccessTokenFormat, FormatOpaque)
	p.when(c.DefaultMaxAge != nil && *c.DefaultMaxAge < 0, "default_max_age", "is negative: write a number of seconds")
	return p
}

type problems []Problem

func (p *problems) when(wrong bool, field, format string, a ...any) {
	if wrong {
		*p = append(*p, Problem{field, fmt.Sprintf(format, a...)})
	}
}

// lifetime: tokens count in seconds. Zero stands for the default.
func (p *problems) lifetime(field string, d time.Duration) {
	p.when(d < 0, field, "is negative: write a duration such as 5m")
	p.when(d > 0 && d < time.Second, field, "%v is less than a second: write a duration such as 5m", d)
}

func (p *problems) authMethod(c Client) {
	methods := []string{"", AuthMethodNone, AuthMethodBasic, AuthMethodPost, AuthMethodSecretJWT, AuthMethodPrivateJWT}
	p.when(!slices.Contains(methods, c.TokenEndpointAuthMethod), "token_endpoint_auth_method",
		"%q is not known: use %s for a public client, %s for a confidential one",
		c.TokenEndpointAuthMethod, AuthMethodNone, strings.Join(methods[2:], ", "))
	p.assertions(c)
	p.when(c.Public() && !c.ClientSecret.IsZero(), "client_secret",
		"is given, but token_endpoint_auth_method none makes the client public: remove one of the two")
	p.when(!c.Public() && c.TokenEndpointAuthMethod != AuthMethodPrivateJWT && c.ClientSecret.IsZero(), "client_secret",
		"is missing: give one, or set token_endpoint_auth_method: none for a single-page or native app")
}

// uris checks redirect URIs. RFC 6749 §3.1.2: "The redirection endpoint URI MUST be an absolute URI […] The endpoint
// URI MUST NOT include a fragment component."
func (p *problems) uris(field string, uris []string) {
	for i, uri := range uris {
		at := fmt.Sprintf("%s[%d]", field, i)
		u, err := url.Parse(uri)
		switch {
		case err != nil || strings.ContainsFunc(uri, notURI):
			p.when(true, at, "%q is no URI: percent-encode what RFC 3986 does not allow", uri)
		case !u.IsAbs() || (u.Hostname() == "" && isWeb(u)):
			p.when(true, at, "%q is not absolute: write it whole, like https://app.example.com/callback", uri)
		case strings.Contains(uri, "#"):
			p.when(true, at, "%q has a fragment: remove the # and what follows (RFC 6749 §3.1.2)", uri)
		case isDangerous(u):
			p.when(true, at, "%q would run as script in the browser: use https, http or an app's own scheme", uri)
		case u.User != nil:
			p.when(true, at, "%q carries a user name: remove it", uri)
		}
	}
}

func (p *problems) webURI(field, uri string) {
	if uri == "" {
		return
	}
	u, err := url.Parse(uri)
	p.when(err != nil || !isWeb(u) || u.Host == "", field, "%q is no http or https URL", uri)
}

func isWeb(u *url.URL) bool { return u.Scheme == "https" || u.Scheme == "http" }

func isDangerous(u *url.URL) bool {
	return slices.Contains([]string{"javascript", "data", "vbscript", "blob", "file", "about"}, u.Scheme)
}

// notURI: spaces, controls, everything beyond ASCII and some signs never stand in a URI (RFC 3986 §2). Browsers read a
// backslash as a slash.
func notURI(r rune) bool { return r <= 0x20 || r > 0x7e || strings.ContainsRune("\"<>\\^`{|}", r) }

func notVSCHAR(r rune) bool { return r < 0x20 || r > 0x7e }
