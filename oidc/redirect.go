package oidc

import (
	"net"
	"net/url"
	"strconv"
	"strings"
)

// MatchRedirectURI tells whether uri is one of the registered ones, byte for byte (Core §3.1.2.1: "This URI MUST
// exactly match one of the Redirection URI values for the Client pre-registered at the OpenID Provider, with the
// matching performed as described in Section 6.2.1 of [RFC3986] (Simple String Comparison)"), with one exception:
//
// RFC 8252 §7.3: "The authorization server MUST allow any port to be specified at the time of the request for loopback
// IP redirect URIs". Here a registered http URI on any loopback host, localhost included, matches with any port;
// everything else about it still has to be equal.
// https://www.rfc-editor.org/rfc/rfc8252#section-7.3
func MatchRedirectURI(registered []string, uri string) bool {
	for _, candidate := range registered {
		if candidate == uri || loopbackEqual(candidate, uri) {
			return true
		}
	}
	return false
}

func loopbackEqual(registered, uri string) bool {
	a, okA := WithoutLoopbackPort(registered)
	b, okB := WithoutLoopbackPort(uri)
	return okA && okB && a == b
}

// WithoutLoopbackPort cuts the port out of the text of a loopback http URI, and touches nothing else of it. Of any
// other URI it is false.
func WithoutLoopbackPort(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil || !IsLoopback(u.Hostname()) || !validPort(u) {
		return "", false
	}
	host := strings.TrimSuffix(u.Host, ":"+u.Port())
	before, after, found := strings.Cut(uri, "//"+u.Host)
	return before + "//" + host + after, found
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0
}

// IsLoopback tells whether host (a name or an IP address, without port and brackets) always means this machine:
// 127.0.0.0/8, ::1, localhost, and every name under localhost (RFC 6761 §6.3).
func IsLoopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// Origin is the serialised origin (RFC 6454 §6.2) of an http or https URI: scheme, host and the port unless it is the
// scheme's default. Other URIs, such as a native app's com.example:/callback, have no origin that a browser would
// send; for them it is empty.
func Origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + host
}
