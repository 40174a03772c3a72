package dpop

import (
	"net/url"
	"regexp"
	"strings"
)

// sameTarget tells whether htu means the URL of the request. RFC 9449 §4.3: "without any query and fragment parts", and
// "employ Syntax-Based Normalization (Section 6.2.2 of [RFC3986]) and Scheme-Based Normalization (Section 6.2.3 of
// [RFC3986]) before comparing the htu claim".
// https://www.rfc-editor.org/rfc/rfc9449#section-4.3
func sameTarget(htu, target string) bool {
	a, b := normal(htu), normal(target)
	return a != "" && a == b
}

// normal is the URL without query and fragment, written in the one way; "" for what is no URL of a web server.
func normal(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || (!strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http")) {
		return ""
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	host = strings.TrimSuffix(host, ":"+defaultPorts[scheme])
	path := u.JoinPath().EscapedPath() // without dot segments
	if path == "" {
		path = "/"
	}
	return scheme + "://" + strings.TrimSuffix(host, ":") + escapes.ReplaceAllStringFunc(path, normalEscape)
}

var escapes = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// normalEscape leaves out the escape of a character that needs none, and writes others in capitals (RFC 3986 §6.2.2).
func normalEscape(escape string) string {
	plain, err := url.PathUnescape(escape)
	if err == nil && unreserved.MatchString(plain) {
		return plain
	}
	return strings.ToUpper(escape)
}

var unreserved = regexp.MustCompile(`^[A-Za-z0-9._~-]$`) // RFC 3986 §2.3

var defaultPorts = map[string]string{"https": "443", "http": "80"}
