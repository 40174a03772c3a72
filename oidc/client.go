package oidc

import (
	"cmp"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// The values of token_endpoint_auth_method that this provider knows (Core §9, RFC 7591 §2).
const (
	AuthMethodNone       = "none"                // a public client, such as a browser or an app
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

// Values of other fields of Client.
const (
	SubjectPublic   = "public"   // SubjectType (Core §8)
	SubjectPairwise = "pairwise" // SubjectType
	ProfileFAPI2    = "fapi2"    // Profile: the client must follow the FAPI 2.0 Security Profile
	FormatOpaque    = "opaque"   // AccessTokenFormat: only the provider can read the access tokens
)

// Client is what the provider knows about a relying party. Fields have the names of RFC 7591 §2 and of OpenID Connect
// Dynamic Client Registration §2; the last group is Hush's own. The configuration file has the same keys as JSON.
type Client struct {
	ClientID                string   `json:"client_id"`
	ClientSecret            Secret   `json:"client_secret,omitzero"`
	ClientName              string   `json:"client_name,omitempty"`
	ClientURI               string   `json:"client_uri,omitempty"`
	LogoURI                 string   `json:"logo_uri,omitempty"`
	PolicyURI               string   `json:"policy_uri,omitempty"`
	TosURI                  string   `json:"tos_uri,omitempty"`
	RedirectURIs            []string `json:"redirect_uris"`
	PostLogoutRedirectURIs  []string `json:"post_logout_redirect_uris,omitempty"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method,omitempty"`
	ApplicationType         string   `json:"application_type,omitempty"` // web or native
	Contacts                []string `json:"contacts,omitempty"`
	GrantTypes              []string `json:"grant_types,omitempty"`
	ResponseTypes           []string `json:"response_types,omitempty"`
	InitiateLoginURI        string   `json:"initiate_login_uri,omitempty"`
	Scope                   string   `json:"scope,omitempty"`    // separated by spaces; empty: every scope of the provider
	JWKSURI                 string   `json:"jwks_uri,omitempty"` // of the client's public keys
	JWKS                    *KeySet  `json:"jwks,omitempty"`     // the keys themselves
	SubjectType             string   `json:"subject_type,omitempty"`
	SectorIdentifierURI     string   `json:"sector_identifier_uri,omitempty"`

	TokenEndpointAuthSigningAlg    string `json:"token_endpoint_auth_signing_alg,omitempty"` // empty: any
	IDTokenSignedResponseAlg       string `json:"id_token_signed_response_alg,omitempty"`
	IDTokenEncryptedResponseAlg    string `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEncryptedResponseEnc    string `json:"id_token_encrypted_response_enc,omitempty"`
	UserinfoSignedResponseAlg      string `json:"userinfo_signed_response_alg,omitempty"`
	UserinfoEncryptedResponseAlg   string `json:"userinfo_encrypted_response_alg,omitempty"`
	UserinfoEncryptedResponseEnc   string `json:"userinfo_encrypted_response_enc,omitempty"`
	AuthorizationSignedResponseAlg string `json:"authorization_signed_response_alg,omitempty"` // JARM §3
	IntrospectionSignedResponseAlg string `json:"introspection_signed_response_alg,omitempty"` // RFC 9701 §6

	// Request objects (RFC 9101 §10.5, Registration §2), pushed requests (RFC 9126 §6) and DPoP (RFC 9449 §5.2).
	RequestObjectSigningAlg            string   `json:"request_object_signing_alg,omitempty"`
	RequireSignedRequestObject         bool     `json:"require_signed_request_object,omitempty"`
	RequestURIs                        []string `json:"request_uris,omitempty"`
	RequirePushedAuthorizationRequests bool     `json:"require_pushed_authorization_requests,omitempty"`
	DPoPBoundAccessTokens              bool     `json:"dpop_bound_access_tokens,omitempty"`

	// Front-Channel Logout §2 and Back-Channel Logout §2.2.
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"`
	BackchannelLogoutURI              string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `json:"backchannel_logout_session_required,omitempty"`

	DefaultMaxAge    *int     `json:"default_max_age,omitempty"`    // seconds, for requests without max_age; nil: none
	RequireAuthTime  bool     `json:"require_auth_time,omitempty"`  // no effect: every ID token has auth_time
	DefaultACRValues []string `json:"default_acr_values,omitempty"` // for requests without acr_values, the best first

	// AllowedCORSOrigins are origins whose scripts may read answers to programs, besides those of RedirectURIs, such as
	// capacitor://localhost. They match to the letter.
	AllowedCORSOrigins []string `json:"allowed_cors_origins,omitempty"`

	FirstParty           bool          `json:"first_party,omitempty"`            // of the operator: no consent is needed
	RequirePKCE          bool          `json:"require_pkce,omitempty"`           // for a confidential client, too
	AccessTokenLifetime  time.Duration `json:"access_token_lifetime,omitempty"`  // zero: DefaultTokenLifetime
	IDTokenLifetime      time.Duration `json:"id_token_lifetime,omitempty"`      // zero: DefaultTokenLifetime
	RefreshTokenLifetime time.Duration `json:"refresh_token_lifetime,omitempty"` // without use; zero: the provider's
	Audience             string        `json:"audience,omitempty"`               // the API of the access tokens
	AccessTokenFormat    string        `json:"access_token_format,omitempty"`    // FormatOpaque; empty: JWT (RFC 9068)
	AccessTokenType      string        `json:"access_token_type,omitempty"`      // TypeJWT; empty: TypeATJWT
	Profile              string        `json:"profile,omitempty"`                // ProfileFAPI2, or empty

	// IDTokenClaims and AccessTokenClaims are claims about the user that go into these tokens, if a granted scope value
	// covers them. Introspection has the claims of access tokens.
	IDTokenClaims     ClaimNames `json:"id_token_claims,omitempty"`
	AccessTokenClaims ClaimNames `json:"access_token_claims,omitempty"`
	// ClaimsMapping says, by the name that a claim gets, where its value comes from (ClaimPath, ClaimSource).
	ClaimsMapping map[string]any `json:"claims_mapping,omitempty"`
	// Claims are claims about the client itself, for its tokens of client_credentials.
	Claims map[string]any `json:"claims,omitempty"`
	// AudienceAsResource gives the parameter audience, which Auth0 has, the meaning of resource (RFC 8707).
	AudienceAsResource bool `json:"audience_as_resource,omitempty"`
}

// DefaultTokenLifetime is how long access and ID tokens live unless the client says otherwise.
const DefaultTokenLifetime = 5 * time.Minute

// Public tells whether the client can keep no secret (RFC 6749 §2.1).
func (c Client) Public() bool { return c.TokenEndpointAuthMethod == AuthMethodNone }

// SignsAssertions tells whether the client authenticates with an assertion (RFC 7523 §2.2).
func (c Client) SignsAssertions() bool {
	return c.TokenEndpointAuthMethod == AuthMethodPrivateJWT || c.TokenEndpointAuthMethod == AuthMethodSecretJWT
}

// NeedsPKCE tells whether the client must send a code_challenge. RFC 9700 §2.1.1: "Public clients MUST use PKCE".
func (c Client) NeedsPKCE() bool { return c.Public() || c.RequirePKCE || c.FAPI2() }

// AuthMethods are the methods by which the client may authenticate. Without a registered token_endpoint_auth_method
// the secret may be in the header or in the body, because many tools try both; the default of RFC 7591 §2 is
// client_secret_basic only.
func (c Client) AuthMethods() []string {
	if c.TokenEndpointAuthMethod == "" {
		return []string{AuthMethodBasic, AuthMethodPost}
	}
	return []string{c.TokenEndpointAuthMethod}
}

// Grants tells whether the client may use the grant type; the default is authorization_code (RFC 7591 §2).
func (c Client) Grants(grantType string) bool {
	if len(c.GrantTypes) == 0 {
		return grantType == GrantAuthorizationCode
	}
	return slices.Contains(c.GrantTypes, grantType)
}

// NeedsDPoP tells whether each token request of the client must carry a DPoP proof, because each of its tokens is bound
// to a key (RFC 9449 §5.2, FAPI 2.0 §5.3.2.1).
func (c Client) NeedsDPoP() bool { return c.DPoPBoundAccessTokens || c.FAPI2() }

// FAPI2 tells whether the client must follow the FAPI 2.0 Security Profile.
func (c Client) FAPI2() bool { return c.Profile == ProfileFAPI2 }

// Origins are the web origins of the redirect URIs. MatchRedirectURI compares with them: a loopback origin matches with
// any port, like the redirect URI itself.
func (c Client) Origins() (origins []string) {
	for _, uri := range c.RedirectURIs {
		if origin := Origin(uri); origin != "" && !slices.Contains(origins, origin) {
			origins = append(origins, origin)
		}
	}
	return origins
}

// Name is the name that pages show: client_name, or else client_id.
func (c Client) Name() string { return cmp.Or(c.ClientName, c.ClientID) }

// AllowedScope returns the scope values of the provider that the client may request.
func (c Client) AllowedScope(provider Scope) Scope {
	if !c.Grants(GrantRefreshToken) { // Core §11
		provider = provider.Without(Scope{ScopeOffline})
	}
	if c.Scope == "" {
		return provider
	}
	return ParseScope(c.Scope).Within(provider)
}

// Refused says for each asked scope value that the client does not get why that is so. provider are all scope values.
func (c Client) Refused(asked, provider Scope) (why []string) {
	for _, value := range asked.Without(c.AllowedScope(provider)) {
		switch {
		case !provider.Has(value):
			why = append(why, fmt.Sprintf("scope %.50q was left out: the provider does not know it", value))
		case value == ScopeOffline && !c.Grants(GrantRefreshToken):
			why = append(why, "scope offline_access was left out: refresh_token is not in the client's grant_types")
		default:
			why = append(why, fmt.Sprintf("scope %.50q was left out: it is not in the client's scope", value))
		}
	}
	return why
}

// Secret is a client secret, or its SHA-256 only. It never prints or marshals its text. Client secrets are long and
// random, so a fast hash resists guessing; passwords need a slow one. client_secret_jwt needs the text itself.
type Secret struct {
	sum   [sha256.Size]byte
	plain string
}

// NewSecret makes a Secret with its text. NewSecret("") is the zero Secret, which matches nothing.
func NewSecret(plain string) Secret {
	if plain == "" {
		return Secret{}
	}
	return Secret{sum: sha256.Sum256([]byte(plain)), plain: plain}
}

// Plain returns the text of the secret, the key of client_secret_jwt (Core §9), or "" if only the hash is known.
func (s Secret) Plain() string { return s.plain }

// Hashed is the secret without its plain text.
func (s Secret) Hashed() Secret { return Secret{sum: s.sum} }

// UnmarshalText reads the plain secret of a configuration file. The output of MarshalText is an error here.
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

// Hash returns the SHA-256 of the secret in base64url, for a store; "" for no secret.
func (s Secret) Hash() string {
	if s.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(s.sum[:])
}

// SecretFromHash reads the output of Hash.
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

// String shows neither the secret nor its hash.
func (s Secret) String() string { return "[secret]" }

// Format implements fmt.Formatter like String, for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText implements encoding.TextMarshaler like String.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
