package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"time"
)

// The values of token_endpoint_auth_method that this provider knows (RFC 7591 §2).
const (
	AuthMethodNone  = "none"                // a public client: a browser or an app, which can keep no secret
	AuthMethodBasic = "client_secret_basic" // the secret in the Authorization header
	AuthMethodPost  = "client_secret_post"  // the secret in the request body
)

// Client is what the provider knows about a relying party. Fields have the names of RFC 7591 §2 and of OpenID Connect
// Dynamic Client Registration §2; the last group is Hush's own.
type Client struct {
	ClientID                string   `yaml:"client_id" json:"client_id"`
	ClientSecret            Secret   `yaml:"client_secret" json:"client_secret,omitzero"`
	ClientName              string   `yaml:"client_name" json:"client_name,omitempty"`
	ClientURI               string   `yaml:"client_uri" json:"client_uri,omitempty"`
	LogoURI                 string   `yaml:"logo_uri" json:"logo_uri,omitempty"`
	PolicyURI               string   `yaml:"policy_uri" json:"policy_uri,omitempty"`
	TosURI                  string   `yaml:"tos_uri" json:"tos_uri,omitempty"`
	RedirectURIs            []string `yaml:"redirect_uris" json:"redirect_uris"`
	PostLogoutRedirectURIs  []string `yaml:"post_logout_redirect_uris" json:"post_logout_redirect_uris,omitempty"`
	TokenEndpointAuthMethod string   `yaml:"token_endpoint_auth_method" json:"token_endpoint_auth_method,omitempty"`
	GrantTypes              []string `yaml:"grant_types" json:"grant_types,omitempty"`
	ResponseTypes           []string `yaml:"response_types" json:"response_types,omitempty"`

	// Scope lists the scope values the client may ask for, separated by spaces. Empty: every scope the provider has.
	Scope string `yaml:"scope" json:"scope,omitempty"`

	IDTokenSignedResponseAlg string `yaml:"id_token_signed_response_alg" json:"id_token_signed_response_alg,omitempty"`

	// DefaultMaxAge, in seconds, stands in for a missing max_age. nil: none.
	DefaultMaxAge *int `yaml:"default_max_age" json:"default_max_age,omitempty"`

	// FirstParty clients belong to the provider's own house: their users are not asked for consent.
	FirstParty bool `yaml:"first_party" json:"first_party,omitempty"`
	// RequirePKCE demands a code_challenge of a confidential client too. Public clients always need one.
	RequirePKCE bool `yaml:"require_pkce" json:"require_pkce,omitempty"`
	// AccessTokenLifetime and IDTokenLifetime default to DefaultTokenLifetime.
	AccessTokenLifetime time.Duration `yaml:"access_token_lifetime" json:"access_token_lifetime,omitempty"`
	IDTokenLifetime     time.Duration `yaml:"id_token_lifetime" json:"id_token_lifetime,omitempty"`
	// Audience is the API that the client's access tokens are for. Empty: the provider's default.
	Audience string `yaml:"audience" json:"audience,omitempty"`
}

// DefaultTokenLifetime is how long access and ID tokens live unless the client says otherwise.
const DefaultTokenLifetime = 5 * time.Minute

// Public tells whether the client can keep no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.TokenEndpointAuthMethod == AuthMethodNone }

// NeedsPKCE tells whether the client must send a code_challenge. RFC 9700 §2.1.1: "Public clients MUST use PKCE".
func (c Client) NeedsPKCE() bool { return c.Public() || c.RequirePKCE }

// Allows tells whether the client may authenticate by method. Without a registered token_endpoint_auth_method the secret may
// come by header or body: RFC 7591 §2 would say client_secret_basic only, and tools that try one and then the other are many.
func (c Client) Allows(method string) bool {
	if c.TokenEndpointAuthMethod == "" {
		return method == AuthMethodBasic || method == AuthMethodPost
	}
	return c.TokenEndpointAuthMethod == method
}

// Name is what a person is shown: client_name, or client_id without one.
func (c Client) Name() string {
	if c.ClientName != "" {
		return c.ClientName
	}
	return c.ClientID
}

// AllowedScope is the scope the client may ask for among what the provider has.
func (c Client) AllowedScope(provider Scope) Scope {
	if c.Scope == "" {
		return provider
	}
	return ParseScope(c.Scope).Within(provider)
}

// Secret is a client secret of which only the SHA-256 is kept: enough to compare, nothing to leak. Client secrets are
// long and random, so a plain hash resists guessing; passwords need a slow one.
type Secret struct{ sum [sha256.Size]byte }

// NewSecret keeps the hash of plain. NewSecret("") is the zero Secret, which matches nothing.
func NewSecret(plain string) Secret {
	if plain == "" {
		return Secret{}
	}
	return Secret{sum: sha256.Sum256([]byte(plain))}
}

// UnmarshalText reads the plain secret of a configuration file. What MarshalText writes is an error: it is no secret.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == s.String() {
		return errors.New(s.String() + " stands for a secret that was left out: write the secret itself")
	}
	*s = NewSecret(string(text))
	return nil
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s == Secret{} }

// Matches compares in constant time.
func (s Secret) Matches(plain string) bool {
	given := sha256.Sum256([]byte(plain))
	return !s.IsZero() && subtle.ConstantTimeCompare(s.sum[:], given[:]) == 1
}

// Hash is what a store keeps of the secret: its SHA-256 in base64url; "" for none.
func (s Secret) Hash() string {
	if s.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.sum[:])
}

// SecretFromHash reads what Hash wrote.
func SecretFromHash(text string) (Secret, error) {
	if text == "" {
		return Secret{}, nil
	}
	var s Secret
	sum, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sum) != len(s.sum) {
		return Secret{}, errors.New("this is no hash of a client secret: 43 characters of base64url are")
	}
	copy(s.sum[:], sum)
	return s, nil
}

// String never tells the secret, nor its hash.
func (s Secret) String() string { return "[secret]" }

// Format implements fmt.Formatter like String, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements encoding.TextMarshaler like String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
