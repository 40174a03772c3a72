package oidc

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// uri is one URI of a client's metadata.
type uri struct {
	*url.URL
	text   string
	client Client
	local  bool // only this machine can reach the provider
}

// uriMember is a member of a client's metadata that holds URIs. fault returns what is wrong with one and what to write,
// or "".
type uriMember struct {
	field string
	of    func(Client) []string // nil without a value
	fault func(uri) string
	list  bool
	exact bool // the value is compared to the letter, so * would match nothing
}

// uriMembers are all members that hold URIs. The rules hold for the configuration, the console and clients that
// register themselves.
var uriMembers = []uriMember{
	{field: "redirect_uris", of: func(c Client) []string { return c.RedirectURIs }, fault: uri.redirectFault, list: true,
		exact: true},
	{field: "post_logout_redirect_uris", of: func(c Client) []string { return c.PostLogoutRedirectURIs },
		fault: uri.postLogoutFault, list: true, exact: true},
	{field: "allowed_cors_origins", of: func(c Client) []string { return c.AllowedCORSOrigins }, fault: uri.originFault,
		list: true, exact: true},
	{field: "client_uri", of: one(func(c Client) string { return c.ClientURI }), fault: uri.webFault},
	{field: "logo_uri", of: one(func(c Client) string { return c.LogoURI }), fault: uri.webFault},
	{field: "policy_uri", of: one(func(c Client) string { return c.PolicyURI }), fault: uri.webFault},
	{field: "tos_uri", of: one(func(c Client) string { return c.TosURI }), fault: uri.webFault},
	{field: "initiate_login_uri", of: one(func(c Client) string { return c.InitiateLoginURI }), fault: uri.loginFault},
	{field: "sector_identifier_uri", of: one(func(c Client) string { return c.SectorIdentifierURI }),
		fault: uri.fetchFault},
	{field: "jwks_uri", of: one(func(c Client) string { return c.JWKSURI }), fault: uri.fetchFault},
	{field: "request_uris", of: func(c Client) []string { return c.RequestURIs }, fault: uri.fetchFault, list: true},
	{field: "frontchannel_logout_uri", of: one(func(c Client) string { return c.FrontchannelLogoutURI }),
		fault: uri.frontchannelFault},
	{field: "backchannel_logout_uri", of: one(func(c Client) string { return c.BackchannelLogoutURI }),
		fault: uri.backchannelFault},
}

func one(value func(Client) string) func(Client) []string {
	return func(c Client) []string {
		return slices.DeleteFunc([]string{value(c)}, func(text string) bool { return text == "" })
	}
}

// checkURIs reports what is wrong with each URI of the metadata.
func (c Client) checkURIs(report Report, local bool) {
	for _, member := range uriMembers {
		for i, text := range member.of(c) {
			at := member.field
			if member.list {
				at = fmt.Sprintf("%s[%d]", at, i)
			}
			fault := member.problem(text, c, local)
			report.When(fault != "", at, "%q %s", text, fault)
		}
	}
}

func (m uriMember) problem(text string, c Client, local bool) string {
	u, err := url.Parse(text)
	switch {
	case m.exact && strings.Contains(text, "*"):
		return "has a *, which is no wildcard here: register each one whole; an http redirect URI on localhost " +
			"or 127.0.0.1 matches with any port without it (RFC 9700 §2.1)"
	case err == nil && u.User == nil && !hasAddress(u): // before the next case, whose advice is no help for a host
		return "has a host or port that no browser can reach: write a host name in letters, digits, hyphens and periods " +
			"(others as xn--…), or an IP address, and a port from 1 to 65535"
	case err != nil || strings.ContainsFunc(text, notURI):
		return "is no URI: percent-encode the characters that RFC 3986 does not allow"
	case u.User != nil:
		return "carries a user name: remove it"
	}
	return m.fault(uri{u, text, c, local})
}

// hostName matches a host name in ASCII, or an IPv4 address. Package url accepts more, even characters that separate
// the directives of a Content-Security-Policy. Some machines have an underscore in their name.
var hostName = regexp.MustCompile(`^([A-Za-z0-9_-]+\.)*[A-Za-z0-9_-]+\.?$`)

// hasAddress reports whether the port of a URI can exist, and the host of an http or https URI.
func hasAddress(u *url.URL) bool {
	port, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16)
	isWeb := (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != ""
	isHost := net.ParseIP(u.Hostname()) != nil || hostName.MatchString(u.Hostname())
	return err == nil && port > 0 && (isHost || !isWeb)
}

// isWeb reports whether the URI is of a web page.
func (u uri) isWeb() bool { return (u.Scheme == "https" || u.Scheme == "http") && u.Hostname() != "" }

// isOpenHTTP reports whether the URI is http on another machine. It returns false if only this machine can reach the
// provider: then the hosts file, or a network of containers, may map any host name to this machine.
func (u uri) isOpenHTTP() bool { return u.Scheme == "http" && !u.local && !IsLoopback(u.Hostname()) }

// scripts are schemes whose URI a browser may run as a script, or show as a page without an origin of its own.
var scripts = []string{"javascript", "data", "vbscript", "blob", "file", "about"}

// IsScript reports whether a browser may run a URI of this scheme as a script. The scheme must be in lower case.
func IsScript(scheme string) bool { return slices.Contains(scripts, scheme) }

// addressFault checks an address to which the provider sends the browser. RFC 6749 §3.1.2: "The redirection endpoint
// URI MUST be an absolute URI […] The endpoint URI MUST NOT include a fragment component."
func (u uri) addressFault() string {
	switch isWeb := u.Scheme == "https" || u.Scheme == "http"; {
	case !u.IsAbs() || isWeb && u.Hostname() == "":
		return "is not absolute: write it whole, like https://app.example.com/callback"
	case strings.Contains(u.text, "#"):
		return "has a fragment: remove the # and what follows (RFC 6749 §3.1.2)"
	case IsScript(u.Scheme):
		return "has a scheme with which a browser may run a script: use https, http or an app's own scheme"
	}
	return ""
}

func (u uri) redirectFault() string {
	if fault := u.addressFault(); fault != "" || !u.isOpenHTTP() {
		return fault
	}
	return "is http, so the code can be read on its way: use https; http is for loopback addresses (RFC 9700 §2.6)"
}

// postLogoutFault: RP-Initiated Logout §3.1: the http scheme is possible "provided that the Client Type is
// confidential".
func (u uri) postLogoutFault() string {
	if fault := u.addressFault(); fault != "" || !u.isOpenHTTP() || !u.client.Public() {
		return fault
	}
	return "is http, which only confidential clients may have: use https (RP-Initiated Logout §3.1)"
}

// origin is the form of an origin of any scheme. A browser sends it in lower case.
var origin = regexp.MustCompile(`^[a-z][a-z0-9+.-]*://[a-z0-9.-]+(:[0-9]+)?$`)

// originFault checks an origin as a browser sends it in the header Origin.
func (u uri) originFault() string {
	switch {
	case u.isWeb() && u.text != Origin(u.text), !u.isWeb() && !origin.MatchString(u.text),
		slices.Contains(scripts, u.Scheme):
		return "is no origin: write scheme and host in lower case, and the port if it is not the usual one, such as " +
			"https://app.example.com or capacitor://localhost"
	case u.isOpenHTTP():
		return "is http, so the answers can be read on their way: use https"
	}
	return ""
}

func (u uri) webFault() string {
	if !u.isWeb() {
		return "is no http or https URL: write one like https://app.example.com/about"
	}
	return ""
}

// loginFault: Core §4: initiate_login_uri "MUST use the https scheme". A provider on a loopback address also accepts
// http on one, because a developer's machine often has no certificate.
func (u uri) loginFault() string {
	isLocal := u.local && u.isWeb() && IsLoopback(u.Hostname())
	if u.Scheme == "https" && u.isWeb() || isLocal {
		return ""
	}
	return "is no https URL: write one like https://app.example.com/login; http is for loopback addresses of a provider " +
		"on a loopback address"
}

// fetchFault checks an address that the provider asks. Package fetch asks http addresses in development mode only.
func (u uri) fetchFault() string {
	if !u.isWeb() || u.isOpenHTTP() {
		return "is no https URL: write one like https://app.example.com/…"
	}
	return ""
}

// backchannelFault: Back-Channel Logout §2.2: the http scheme is possible "provided that the Client Type is
// confidential".
func (u uri) backchannelFault() string {
	switch {
	case !u.isWeb():
		return u.webFault()
	case strings.Contains(u.text, "#"):
		return "has a fragment: remove it (Back-Channel Logout §2.2)"
	case u.isOpenHTTP() && u.client.Public():
		return "is http, which only confidential clients may have: use https (Back-Channel Logout §2.2)"
	}
	return ""
}

// frontchannelFault: Front-Channel Logout §2: "The domain, port, and scheme of this URL MUST be the same as that of a
// registered Redirection URI value."
func (u uri) frontchannelFault() string {
	own := Origin(u.text)
	isOfRedirect := func(redirect string) bool { return MatchRedirectURI([]string{Origin(redirect)}, own) }
	switch {
	case own == "" || !slices.ContainsFunc(u.client.RedirectURIs, isOfRedirect):
		return "has not the scheme, host and port of a redirect URI: write an address of the same origin " +
			"(Front-Channel Logout §2)"
	case strings.Contains(u.text, "#"):
		return "has a fragment: remove it"
	}
	return ""
}
