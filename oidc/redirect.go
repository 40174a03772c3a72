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

// MatchRedirectURI tells whether uri equals a registered URI, byte for byte (Core §3.1.2.1), with one exception: a
// registered http URI of a loopback host matches with any port (RFC 8252 §7.3).
func MatchRedirectURI(registered []string, uri string) bool {
	if slices.Contains(registered, uri) {
		return true
	}
	bare, isLoopback := WithoutLoopbackPort(uri)
	return isLoopback && slices.ContainsFunc(registered, func(candidate string) bool {
		other, ok := WithoutLoopbackPort(candidate)
		return ok && other == bare
	})
}

// WithoutLoopbackPort removes the port from the text of a loopback http URI. ok is false for every other URI.
func WithoutLoopbackPort(uri string) (bare string, ok bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "http" || u.User != nil || !IsLoopback(u.Hostname()) || strings.HasSuffix(u.Host, ":") {
		return "", false
	}
	if number, err := strconv.ParseUint(cmp.Or(u.Port(), "80"), 10, 16); err != nil || number == 0 {
		return "", false
	}
	host := strings.TrimSuffix(u.Host, ":"+u.Port())
	before, after, found := strings.Cut(uri, "//"+u.Host)
	return before + "//" + host + after, found
}

// HasFreePort tells whether the registered URI matches with any port (MatchRedirectURI).
func HasFreePort(registered string) bool {
	_, isLoopback := WithoutLoopbackPort(registered)
	return isLoopback
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

// Origin is the serialised origin (RFC 6454 §6.2) of an http or https URI: scheme, host, and the port unless it is the
// scheme's default. It is "" for other URIs, such as a native app's com.example:/callback.
func Origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Hostname() == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	host := strings.TrimSuffix(strings.ToLower(u.Host), ":")
	host = strings.TrimSuffix(host, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	return u.Scheme + "://" + host
}

// SignOutAddresses are the usual post_logout_redirect_uris of an app with this redirect URI: its origin, with and
// without the final slash. There are none if the redirect URI has no web origin.
func SignOutAddresses(redirectURI string) []string {
	origin := Origin(redirectURI)
	if origin == "" {
		return nil
	}
	return []string{origin + "/", origin}
}

// Nearest finds the registered redirect URI that differs from uri in the fewest parts and, among equals, in the fewest
// letters. difference describes the parts of uri that differ:
//
//	path: /silent.html instead of /callback; query: ?x=1 too much
//
// It is empty if uri matches (MatchRedirectURI); both are empty if nothing is registered. uri may be any text.
func Nearest(registered []string, uri string) (nearest, difference string) {
	fewest, least := 0, 0
	for i, candidate := range registered {
		words, letters := differences(candidate, uri)
		if i == 0 || len(words) < fewest || len(words) == fewest && letters < least {
			fewest, least, nearest, difference = len(words), letters, candidate, strings.Join(words, "; ")
		}
	}
	return nearest, difference
}

// Listing names the registered URIs in an error about uri: all of them, or of more than five their number and the one
// most like uri. "none": nothing is registered.
func Listing(registered []string, uri string) string {
	const few = 5
	switch {
	case len(registered) == 0:
		return "none"
	case len(registered) <= few:
		return strings.Join(registered, ", ")
	}
	nearest, difference := Nearest(registered, uri)
	return fmt.Sprintf("%d addresses, of which %s is the most similar (%s)", len(registered), nearest, difference)
}

// differences describes each part of uri that differs, and counts the letters to insert, remove or replace in them.
func differences(registered, uri string) (words []string, letters int) {
	a, b := partsOf(registered), partsOf(uri)
	_, anyPort := WithoutLoopbackPort(registered)
	if _, ok := WithoutLoopbackPort(uri); ok && anyPort {
		a[port], b[port] = "", ""
	}
	for i, name := range []string{"scheme", "slashes", "user", "host", "port", "path", "query", "fragment"} {
		if a[i] != b[i] {
			words = append(words, name+": "+inWords(a[i], b[i]))
			letters += levenshtein(clipPart(a[i]), clipPart(b[i]))
		}
	}
	return words, letters
}

// inWords describes how one part of a URI differs from the registered part.
func inWords(registered, given string) string {
	switch {
	case registered == "":
		return show(given) + " too much"
	case given == "":
		return show(registered) + " is missing"
	case given == registered+"/":
		return "a final slash too much"
	case given+"/" == registered:
		return "the final slash is missing"
	case strings.EqualFold(registered, given):
		return show(given) + " instead of " + show(registered) + " (upper and lower case count)"
	}
	return show(given) + " instead of " + show(registered)
}

// port is the index of the port among the parts of a URI.
const port = 4

// authority matches the user (with its @), host and port (with its colon) of a URI. IPv6 addresses have brackets.
var authority = regexp.MustCompile(`(?s)^(.*@)?(.*?)(:[^\]:]*)?$`)

// generic is the expression of RFC 3986 appendix B, grouped anew. It matches every string.
// https://www.rfc-editor.org/rfc/rfc3986#appendix-B
var generic = regexp.MustCompile(`(?s)^(?:([^:/?#]+):)?(?:(//)([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$`)

// partsOf splits a URI into scheme, slashes, user, host, port, path, query and fragment.
func partsOf(uri string) []string {
	m := generic.FindStringSubmatch(uri)
	return slices.Concat(m[1:3], authority.FindStringSubmatch(m[3])[1:], m[4:])
}

// show clips a part for a message, and quotes it if it has characters that no URI may have.
func show(part string) string {
	part = clipPart(part)
	if strings.ContainsFunc(part, notURI) {
		return strconv.Quote(part)
	}
	return part
}

func clipPart(part string) string { return strings.ToValidUTF8(part[:min(len(part), 120)], "") }

// levenshtein returns the number of bytes to insert, remove or replace to change a into b.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: the distance from the part of a read so far to b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
