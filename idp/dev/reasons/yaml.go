package reasons

import (
	"cmp"
	"regexp"
	"strconv"
)

// exampleRedirectURI stands where a request brought no redirect_uri.
const exampleRedirectURI = "http://localhost:5173/callback"

// ClientYAML is the piece of a configuration file that makes the client known as a public one, with one redirect URI; an
// empty redirectURI becomes an example. Both may be anything that a request brought: they stay one value each.
func ClientYAML(clientID, redirectURI string) string {
	return `clients:                                # the whole list: it replaces the built-in spa and web
  - client_id: ` + scalar(clientID) + `
    token_endpoint_auth_method: none    # a single-page or native app; a server has a client_secret instead
    redirect_uris:
      - ` + scalar(cmp.Or(redirectURI, exampleRedirectURI)) + `
    first_party: true                   # its users are not asked for consent
`
}

// plain is a text that YAML reads as itself without quotation marks: not a number, a date, a truth value, nor with a
// sign that means something.
var plain = regexp.MustCompile(`^[A-Za-z]([A-Za-z0-9_.:/?=&%~+-]*[A-Za-z0-9_/=&%~+-])?$`)

// keyword is what YAML 1.1 or 1.2 reads as something other than text.
var keyword = regexp.MustCompile(`(?i)^(null|true|false|yes|no|on|off|y|n)$`)

// scalar writes text as one YAML value. Every escape that Go writes into a quoted string is one of YAML's (YAML 1.2 §5.7).
func scalar(text string) string {
	if plain.MatchString(text) && !keyword.MatchString(text) {
		return text
	}
	return strconv.QuoteToASCII(text)
}
