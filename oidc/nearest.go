package oidc

import (
	"regexp"
	"strconv"
	"strings"
)

// Nearest finds the registered redirect URI that uri most likely was meant to be: the one that differs from it in the
// fewest parts and, among those, in the fewest letters. difference says in words what is different about uri, part by
// part:
//
//	path: /silent.html instead of /callback; query: ?x=1 too much
//
// It is empty where uri matches (MatchRedirectURI), and both are where nothing is registered. The port is no difference
// where MatchRedirectURI does not look at it. uri may be anything; what is not fit for a message is quoted.
func Nearest(registered []string, uri string) (nearest, difference string) {
	var least distance
	for i, candidate := range registered {
		d := distanceOf(candidate, uri)
		if i == 0 || d.less(least) {
			least, nearest, difference = d, candidate, strings.Join(d.words, "; ")
		}
	}
	return nearest, difference
}

// distance is how far a URI is from a registered one.
type distance struct {
	words   []string // one entry for each part that differs
	letters int      // to insert, remove or replace in those parts
}

func (d distance) less(other distance) bool {
	if len(d.words) != len(other.words) {
		return len(d.words) < len(other.words)
	}
	return d.letters < other.letters
}

func distanceOf(registered, uri string) distance {
	var d distance
	a, b := partsOf(registered), partsOf(uri)
	if anyPort(registered) && anyPort(uri) {
		a.port, b.port = "", ""
	}
	for _, part := range []struct{ name, registered, given string }{
		{"scheme", a.scheme, b.scheme},
		{"slashes", a.slashes, b.slashes},
		{"user", a.user, b.user},
		{"host", a.host, b.host},
		{"port", a.port, b.port},
		{"path", a.path, b.path},
		{"query", a.query, b.query},
		{"fragment", a.fragment, b.fragment},
	} {
		if part.registered != part.given {
			d.words = append(d.words, part.name+": "+inWords(part.registered, part.given))
			d.letters += levenshtein(clipPart(part.registered), clipPart(part.given))
		}
	}
	return d
}

// anyPort tells whether MatchRedirectURI lets the URI have any port.
func anyPort(uri string) bool {
	_, ok := WithoutLoopbackPort(uri)
	return ok
}

// inWords tells what stands in one part of the URI, against what is registered.
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

// parts are those of a URI, each to the letter and with the sign that sets it off; the scheme has lost its colon.
type parts struct{ scheme, slashes, user, host, port, path, query, fragment string }

// generic is the expression of RFC 3986 appendix B, grouped anew. It matches every string.
// https://www.rfc-editor.org/rfc/rfc3986#appendix-B
var generic = regexp.MustCompile(`(?s)^(?:([^:/?#]+):)?(?:(//)([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?$`)

func partsOf(uri string) parts {
	m := generic.FindStringSubmatch(uri)
	p := parts{scheme: m[1], slashes: m[2], host: m[3], path: m[4], query: m[5], fragment: m[6]}
	if i := strings.LastIndex(p.host, "@"); i >= 0 {
		p.user, p.host = p.host[:i+1], p.host[i+1:]
	}
	if i := strings.LastIndex(p.host, ":"); i > strings.LastIndex(p.host, "]") { // an IPv6 address has colons in brackets
		p.host, p.port = p.host[:i], p.host[i:]
	}
	return p
}

// show makes a part fit for a message: clipped, and quoted where it holds what no URI may hold.
func show(part string) string {
	part = clipPart(part)
	if strings.ContainsFunc(part, notURI) {
		return strconv.Quote(part)
	}
	return part
}

// maxPart is how many bytes of a part count.
const maxPart = 120

func clipPart(part string) string { return strings.ToValidUTF8(part[:min(len(part), maxPart)], "") }

// levenshtein is the number of bytes to insert, remove or replace to make b out of a.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1) // row[j]: from what was read of a to b[:j]
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
