package oidc

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The values of token_endpoint_auth_method that this provider knows (Core §9, RFC 7591 §2).
const (
	AuthMethodNone       = "none"                // a public client: a browser or an app, which can keep no secret
	AuthMethodBasic      = "client_secret_basic" // the secret in the Authorization header
	AuthMethodPost       = "client_secret_post"  // the secret in the request body
	AuthMethodSecretJWT  = "client_secret_jwt"   // an assertion, authenticated with the secret
	AuthMethodPrivateJWT = "private_key_jwt"     // an assertion, signed with the client's key
)

// The grant types (RFC 6749 §4 and §6, RFC 8628 §3.4).
const (
	GrantAuthorizationCode = "authorization_code"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
)

// The subject types (Core §8).
const (
	SubjectPublic   = "public"
	SubjectPairwise = "pairwise"
)

// ProfileFAPI2 is the value of Client.Profile that demands the FAPI 2.0 Security Profile of a client.
const ProfileFAPI2 = "fapi2"

// FormatOpaque is the value of Client.AccessTokenFormat for access tokens that mean nothing to anybody but the
// provider.
const FormatOpaque = "opaque"

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
	// TokenEndpointAuthSigningAlg is the alg of the client's assertions. Empty: any that the provider knows.
	TokenEndpointAuthSigningAlg string   `yaml:"token_endpoint_auth_signing_alg" json:"token_endpoint_auth_signing_alg,omitempty"`
	ApplicationType             string   `yaml:"application_type" json:"application_type,omitempty"` // web or native
	Contacts                    []string `yaml:"contacts" json:"contacts,omitempty"`
	GrantTypes                  []string `yaml:"grant_types" json:"grant_types,omitempty"`
	ResponseTypes               []string `yaml:"response_types" json:"response_types,omitempty"`
	InitiateLoginURI            string   `yaml:"initiate_login_uri" json:"initiate_login_uri,omitempty"`

	// Scope lists the scope values the client may ask for, separated by spaces. Empty: every scope the provider has.
	Scope string `yaml:"scope" json:"scope,omitempty"`

	// JWKSURI or JWKS hold the client's public keys: for its signatures, and for encryption to the client.
	JWKSURI string  `yaml:"jwks_uri" json:"jwks_uri,omitempty"`
	JWKS    *KeySet `yaml:"jwks" json:"jwks,omitempty"`

	SubjectType         string `yaml:"subject_type" json:"subject_type,omitempty"`
	SectorIdentifierURI string `yaml:"sector_identifier_uri" json:"sector_identifier_uri,omitempty"`

	IDTokenSignedResponseAlg     string `yaml:"id_token_signed_response_alg" json:"id_token_signed_response_alg,omitempty"`
	IDTokenEncryptedResponseAlg  string `yaml:"id_token_encrypted_response_alg" json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEncryptedResponseEnc  string `yaml:"id_token_encrypted_response_enc" json:"id_token_encrypted_response_enc,omitempty"`
	UserinfoSignedResponseAlg    string `yaml:"userinfo_signed_response_alg" json:"userinfo_signed_response_alg,omitempty"`
	UserinfoEncryptedResponseAlg string `yaml:"userinfo_encrypted_response_alg" json:"userinfo_encrypted_response_alg,omitempty"`
	UserinfoEncryptedResponseEnc string `yaml:"userinfo_encrypted_response_enc" json:"userinfo_encrypted_response_enc,omitempty"`

	// Request objects: RFC 9101 §10.5 and Registration §2.
	RequestObjectSigningAlg    string   `yaml:"request_object_signing_alg" json:"request_object_signing_alg,omitempty"`
	RequireSignedRequestObject bool     `yaml:"require_signed_request_object" json:"require_signed_request_object,omitempty"`
	RequestURIs                []string `yaml:"request_uris" json:"request_uris,omitempty"`
	// RequirePushedAuthorizationRequests: RFC 9126 §6.
	RequirePushedAuthorizationRequests bool `yaml:"require_pushed_authorization_requests" json:"require_pushed_authorization_requests,omitempty"`
	// AuthorizationSignedResponseAlg: JARM §3.
	AuthorizationSignedResponseAlg string `yaml:"authorization_signed_response_alg" json:"authorization_signed_response_alg,omitempty"`
	// DPoPBoundAccessTokens: RFC 9449 §5.2.
	DPoPBoundAccessTokens bool `yaml:"dpop_bound_access_tokens" json:"dpop_bound_access_tokens,omitempty"`
	// IntrospectionSignedResponseAlg: RFC 9701 §6.
	IntrospectionSignedResponseAlg string `yaml:"introspection_signed_response_alg" json:"introspection_signed_response_alg,omitempty"`

	// Front-Channel Logout §2 and Back-Channel Logout §2.2.
	FrontchannelLogoutURI             string `yaml:"frontchannel_logout_uri" json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `yaml:"frontchannel_logout_session_required" json:"frontchannel_logout_session_required,omitempty"`
	BackchannelLogoutURI              string `yaml:"backchannel_logout_uri" json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `yaml:"backchannel_logout_session_required" json:"backchannel_logout_session_required,omitempty"`

	// DefaultMaxAge, in seconds, stands in for a missing max_age. nil: none.
	DefaultMaxAge *int `yaml:"default_max_age" json:"default_max_age,omitempty"`
	// RequireAuthTime: auth_time is in every ID token of this provider.
	RequireAuthTime bool `yaml:"require_auth_time" json:"require_auth_time,omitempty"`
	// DefaultACRValues stand in for missing acr_values, the most wanted first.
	DefaultACRValues []string `yaml:"default_acr_values" json:"default_acr_values,omitempty"`

	// FirstParty clients belong to the operator of the provider: their users are not asked for consent.
	FirstParty bool `yaml:"first_party" json:"first_party,omitempty"`
	// RequirePKCE demands a code_challenge of a confidential client too. Public clients always need one.
	RequirePKCE bool `yaml:"require_pkce" json:"require_pkce,omitempty"`
	// AccessTokenLifetime and IDTokenLifetime default to DefaultTokenLifetime.
	AccessTokenLifetime time.Duration `yaml:"access_token_lifetime" json:"access_token_lifetime,omitempty"`
	IDTokenLifetime     time.Duration `yaml:"id_token_lifetime" json:"id_token_lifetime,omitempty"`
	// RefreshTokenLifetime is how long a refresh token lives that is not used. Zero: the provider's default.
	RefreshTokenLifetime time.Duration `yaml:"refresh_token_lifetime" json:"refresh_token_lifetime,omitempty"`
	// Audience is the API that the client's access tokens are for. Empty: the provider's default.
	Audience string `yaml:"audience" json:"audience,omitempty"`
	// AccessTokenFormat is empty for JWTs (RFC 9068), or FormatOpaque.
	AccessTokenFormat string `yaml:"access_token_format" json:"access_token_format,omitempty"`
	// Profile is empty, or ProfileFAPI2.
	Profile string `yaml:"profile" json:"profile,omitempty"`
}

// KeySet is a JWK Set (RFC 7517 §5) of public keys that is part of a client's metadata.
type KeySet struct{ jose.JSONWebKeySet }

// UnmarshalYAML reads the set as it would stand in JSON.
func (k *KeySet) UnmarshalYAML(unmarshal func(any) error) error {
	var tree any
	if err := unmarshal(&tree); err != nil {
		return err
	}
	text, err := json.Marshal(tree)
	if err != nil {
		return fmt.Errorf("this is no JWK Set (RFC 7517 section 5): %w", err)
	}
	return k.UnmarshalJSON(text)
}

// UnmarshalJSON leaves out keys that cannot be read. RFC 7517 §5: implementations "SHOULD ignore JWKs within a JWK Set
// that use "kty" (key type) values that are not understood by them".
// https://www.rfc-editor.org/rfc/rfc7517#section-5
func (k *KeySet) UnmarshalJSON(text []byte) error {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return fmt.Errorf("this is no JWK Set (RFC 7517 section 5): %w", err)
	}
	k.Keys = nil
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(raw, &key) == nil {
			k.Keys = append(k.Keys, key)
		}
	}
	return nil
}

// DefaultTokenLifetime is how long access and ID tokens live unless the client says otherwise.
const DefaultTokenLifetime = 5 * time.Minute

// Public tells whether the client can keep no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.TokenEndpointAuthMethod == AuthMethodNone }

// SignsAssertions tells whether the client authenticates by an assertion (RFC 7523 §2.2).
func (c Client) SignsAssertions() bool {
	return c.TokenEndpointAuthMethod == AuthMethodPrivateJWT || c.TokenEndpointAuthMethod == AuthMethodSecretJWT
}

// NeedsPKCE tells whether the client must send a code_challenge. RFC 9700 §2.1.1: "Public clients MUST use PKCE".
func (c Client) NeedsPKCE() bool { return c.Public() || c.RequirePKCE || c.FAPI2() }

// Allows tells whether the client may authenticate by method. Without a registered token_endpoint_auth_method the
// secret may come by header or body: RFC 7591 §2 would say client_secret_basic only, and tools that try one and then
// the other are many.
func (c Client) Allows(method string) bool {
	if c.TokenEndpointAuthMethod == "" {
		return method == AuthMethodBasic || method == AuthMethodPost
	}
	return c.TokenEndpointAuthMethod == method
}

// Grants tells whether the client may use the grant type. Without registered grant_types it is authorization_code (RFC
// 7591 §2).
func (c Client) Grants(grantType string) bool {
	if len(c.GrantTypes) == 0 {
		return grantType == GrantAuthorizationCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// FAPI2 tells whether the FAPI 2.0 Security Profile is demanded of the client.
func (c Client) FAPI2() bool { return c.Profile == ProfileFAPI2 }

// Name is what a person is shown: client_name, or client_id without one.
func (c Client) Name() string {
	if c.ClientName != "" {
		return c.ClientName
	}
	return c.ClientID
}

// AllowedScope is the scope the client may ask for among what the provider has.
func (c Client) AllowedScope(provider Scope) Scope {
	if !c.Grants(GrantRefreshToken) { // Core §11
		provider = provider.Without(Scope{ScopeOffline})
	}
	if c.Scope == "" {
		return provider
	}
	return ParseScope(c.Scope).Within(provider)
}

// Secret is a client secret. Its SHA-256 is enough to compare, and all that is printed or written anywhere is less.
// Client secrets are long and random, so a plain hash resists guessing; passwords need a slow one. The text itself
// stays in memory for one method only: client_secret_jwt authenticates an assertion with it.
type Secret struct {
	sum   [sha256.Size]byte
	plain string
}

// NewSecret keeps plain and its hash. NewSecret("") is the zero Secret, which matches nothing.
func NewSecret(plain string) Secret {
	if plain == "" {
		return Secret{}
	}
	return Secret{sum: sha256.Sum256([]byte(plain)), plain: plain}
}

// Plain is the secret itself: the key of client_secret_jwt (Core §9). "" where only the hash is known.
func (s Secret) Plain() string { return s.plain }

// Hashed is the secret without its plain text.
func (s Secret) Hashed() Secret { return Secret{sum: s.sum} }

// UnmarshalText reads the plain secret of a configuration file. What MarshalText writes is an error: it is no secret.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == s.String() {
		return errors.New(s.String() + " stands for a secret that was left out: write the secret itself")
	}
	*s = NewSecret(string(text))
	return nil
}

// IsZero tells whether there is no secret.
func (s Secret) IsZero() bool { return s.sum == [sha256.Size]byte{} }

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
