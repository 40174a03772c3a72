package check

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
)

// script is a script element that a browser runs: a file, or the text in the page.
type script struct{ src, nonce, text string }

// name is the script for a developer.
func (s script) name() string {
	if s.src == "" {
		return "a script in the page"
	}
	return "the script " + s.src
}

// allowedBy tells whether sources of a policy for scripts allow the script in the page at the address.
// https://www.w3.org/TR/CSP3/#script-pre-request, https://www.w3.org/TR/CSP3/#match-element-to-source-list
func (s script) allowedBy(sources []string, page string) bool {
	if s.nonce != "" && slices.Contains(sources, "'nonce-"+s.nonce+"'") {
		return true
	}
	isStrict := slices.ContainsFunc(sources, func(one string) bool { return strings.EqualFold(one, "'strict-dynamic'") })
	if s.src == "" {
		return s.isInlineAllowed(sources, isStrict)
	}
	base, err := url.Parse(page)
	if err != nil {
		return false
	}
	address, err := base.Parse(s.src)
	return err == nil && !isStrict &&
		slices.ContainsFunc(sources, func(one string) bool { return matches(one, address.String(), page) })
}

// isInlineAllowed: 'unsafe-inline' counts only without a nonce, a hash and 'strict-dynamic'.
func (s script) isInlineAllowed(sources []string, isStrict bool) bool {
	isExact := func(one string) bool { return strings.HasPrefix(one, "'nonce-") || strings.HasPrefix(one, "'sha") }
	if slices.ContainsFunc(sources, isExact) || isStrict {
		return slices.ContainsFunc(s.hashes(), func(hash string) bool { return slices.Contains(sources, hash) })
	}
	return slices.ContainsFunc(sources, func(one string) bool { return strings.EqualFold(one, "'unsafe-inline'") })
}

// hashes are the sources that allow exactly this text.
func (s script) hashes() []string {
	sum256, sum384, sum512 := sha256.Sum256([]byte(s.text)), sha512.Sum384([]byte(s.text)), sha512.Sum512([]byte(s.text))
	text := base64.StdEncoding.EncodeToString
	return []string{
		"'sha256-" + text(sum256[:]) + "'", "'sha384-" + text(sum384[:]) + "'", "'sha512-" + text(sum512[:]) + "'",
	}
}
