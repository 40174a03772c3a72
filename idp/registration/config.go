package registration

import (
	"fmt"
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// The values of registration.mode.
const (
	ModeOff   = "off"   // nobody may register; clients that registered before are unknown
	ModeToken = "token" // a request with an initial access token may register a client
	ModeOpen  = "open"  // everybody may register a client
)

// Config is the section registration of the configuration: the conditions for registering a client (RFC 7591).
type Config struct {
	// Mode is off, token or open. Default: token if there are InitialAccessTokens, open in development mode, else off.
	Mode string `yaml:"mode"`
	// InitialAccessTokens let their bearer register (RFC 7591 §3), besides the tokens of `idp registration-token`.
	InitialAccessTokens []oidc.Secret `yaml:"initial_access_tokens"`
}

// WithDefaults returns c with its defaults.
func (c Config) WithDefaults(development bool) Config {
	switch {
	case c.Mode != "":
	case len(c.InitialAccessTokens) > 0:
		c.Mode = ModeToken
	case development:
		c.Mode = ModeOpen
	default:
		c.Mode = ModeOff
	}
	return c
}

// Check reports the mistakes in c.
func (c Config) Check(report oidc.Report) {
	report.When(!slices.Contains([]string{ModeOff, ModeToken, ModeOpen}, c.Mode), "mode",
		"%q is none of off, token, open: write one of these", c.Mode)
	report.When(c.Mode != ModeToken && len(c.InitialAccessTokens) > 0, "initial_access_tokens",
		"are for mode token; the mode is %s: change one of the two", c.Mode)
	for i, token := range c.InitialAccessTokens {
		bearer, err := oidc.BearerToken(http.Header{"Authorization": {"Bearer " + token.Plain()}})
		report.When(bearer == "" || err != nil, fmt.Sprintf("initial_access_tokens[%d]", i),
			"is empty, or cannot stand in an Authorization header: write a long random one (openssl rand -hex 32)")
	}
}

// Enabled reports whether the provider accepts clients that registered themselves.
func (c Config) Enabled() bool { return c.Mode != ModeOff }

// Ticket is the content of an initial access token of InitialAccessToken. It is empty; the seal contains the age.
type Ticket struct{}

// SealPurpose is the purpose of the seal of Tickets.
const SealPurpose = "registration"

// InitialAccessToken makes an initial access token. Every provider whose seal has the same first key accepts it.
func InitialAccessToken(seal session.Seal[Ticket]) (string, error) { return seal.Close(Ticket{}) }

// admit says whether the request may register a client. RFC 7591 §3: the endpoint may be open, or "protected by
// OAuth 2.0", with an initial access token. trusted means that a valid token came.
func (e *Endpoint) admit(r *http.Request) (trusted bool, err error) {
	token, err := oidc.BearerToken(r.Header)
	switch {
	case err != nil:
		return false, err
	case token == "" && e.Config.Mode == ModeOpen:
		return false, nil
	case token == "":
		return false, errNoToken
	}
	for _, known := range e.Config.InitialAccessTokens {
		trusted = known.Matches(token) || trusted
	}
	if _, err := e.Tickets.Open(token); err != nil && !trusted {
		return false, oidc.InvalidToken.Errorf(
			"the initial access token is not known, or too old: ask the operator of this provider for one")
	}
	return true, nil
}
