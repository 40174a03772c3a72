package dev

import (
	"cmp"
	"regexp"
	"strconv"
)

// exampleRedirectURI is used if a request has no redirect_uri.
const exampleRedirectURI = "http://localhost:5173/callback"

// ClientYAML returns the lines of a configuration file that register the client as a public one with one redirect URI.
// An empty redirectURI becomes an example. Both values may come from any request: each is quoted as one YAML value.
func ClientYAML(clientID, redirectURI string) string {
	return `clients:                                # the whole list: it replaces the built-in spa and web
  - client_id: ` + scalar(clientID) + `
    token_endpoint_auth_method: none    # a single-page or native app; a server has a client_secret instead
    redirect_uris:
      - ` + scalar(cmp.Or(redirectURI, exampleRedirectURI)) + `
    first_party: true                   # its users are not asked for consent
`
}

// plain matches texts that YAML reads as text without quotation marks: no number, no date, no syntax of YAML. See
// keyword.
var plain = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_.:/?=&%~+-]*[A-Za-z0-9_/=&%~+-])?$`)

// keyword matches words that YAML 1.1 or 1.2 does not read as text.
var keyword = regexp.MustCompile(`(?i)^(null|true|false|yes|no|on|off|y|n)$`)

// scalar writes text as one YAML value. Every escape that Go writes into a quoted string is one of YAML's (YAML 1.2
// §5.7).
func scalar(text string) string {
	if plain.MatchString(text) && !keyword.MatchString(text) {
		return text
	}
	return strconv.QuoteToASCII(text)
}
