package oidc

// Metadata is the provider's description of itself: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2, with the members
// that the named specifications add. It says what works and nothing more.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`

	RegistrationEndpoint               string `json:"registration_endpoint,omitempty"`
	RevocationEndpoint                 string `json:"revocation_endpoint,omitempty"`                   // RFC 8414 §2
	IntrospectionEndpoint              string `json:"introspection_endpoint,omitempty"`                // RFC 8414 §2
	DeviceAuthorizationEndpoint        string `json:"device_authorization_endpoint,omitempty"`         // RFC 8628 §4
	PushedAuthorizationRequestEndpoint string `json:"pushed_authorization_request_endpoint,omitempty"` // RFC 9126 §5
	// Session Management §3.3
	CheckSessionIframe string `json:"check_session_iframe,omitempty"`
	OPPolicyURI        string `json:"op_policy_uri,omitempty"`
	OPTosURI           string `json:"op_tos_uri,omitempty"`

	ScopesSupported                        []string `json:"scopes_supported"`
	ResponseTypesSupported                 []string `json:"response_types_supported"`
	ResponseModesSupported                 []string `json:"response_modes_supported"`
	GrantTypesSupported                    []string `json:"grant_types_supported"`
	SubjectTypesSupported                  []string `json:"subject_types_supported"`
	IDTokenSigningAlgValuesSupported       []string `json:"id_token_signing_alg_values_supported"`
	IDTokenEncryptionAlgValuesSupported    []string `json:"id_token_encryption_alg_values_supported,omitempty"`
	IDTokenEncryptionEncValuesSupported    []string `json:"id_token_encryption_enc_values_supported,omitempty"`
	UserinfoSigningAlgValuesSupported      []string `json:"userinfo_signing_alg_values_supported,omitempty"`
	UserinfoEncryptionAlgValuesSupported   []string `json:"userinfo_encryption_alg_values_supported,omitempty"`
	UserinfoEncryptionEncValuesSupported   []string `json:"userinfo_encryption_enc_values_supported,omitempty"`
	RequestObjectSigningAlgValuesSupported []string `json:"request_object_signing_alg_values_supported,omitempty"`
	// JARM §4
	AuthorizationSigningAlgValuesSupported []string `json:"authorization_signing_alg_values_supported,omitempty"`
	// RFC 9701 §7
	IntrospectionSigningAlgValuesSupported []string `json:"introspection_signing_alg_values_supported,omitempty"`
	// RFC 9449 §5.1
	DPoPSigningAlgValuesSupported                      []string `json:"dpop_signing_alg_values_supported,omitempty"`
	TokenEndpointAuthMethodsSupported                  []string `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthSigningAlgValuesSupported         []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	RevocationEndpointAuthMethodsSupported             []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationEndpointAuthSigningAlgValuesSupported    []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	IntrospectionEndpointAuthMethodsSupported          []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	IntrospectionEndpointAuthSigningAlgValuesSupported []string `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethodsSupported                      []string `json:"code_challenge_methods_supported"`
	PromptValuesSupported                              []Prompt `json:"prompt_values_supported"`
	DisplayValuesSupported                             []string `json:"display_values_supported"`
	ACRValuesSupported                                 []string `json:"acr_values_supported"`
	ClaimTypesSupported                                []string `json:"claim_types_supported"`
	ClaimsSupported                                    []string `json:"claims_supported"`
	UILocalesSupported                                 []string `json:"ui_locales_supported"`

	ClaimsParameterSupported                   bool `json:"claims_parameter_supported"`
	RequestParameterSupported                  bool `json:"request_parameter_supported"`
	RequestURIParameterSupported               bool `json:"request_uri_parameter_supported"` // left out it would mean true
	RequireRequestURIRegistration              bool `json:"require_request_uri_registration"`
	RequirePushedAuthorizationRequests         bool `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126 §5
	AuthorizationResponseIssParameterSupported bool `json:"authorization_response_iss_parameter_supported"`  // RFC 9207 §3
	FrontchannelLogoutSupported                bool `json:"frontchannel_logout_supported,omitempty"`
	FrontchannelLogoutSessionSupported         bool `json:"frontchannel_logout_session_supported,omitempty"`
	BackchannelLogoutSupported                 bool `json:"backchannel_logout_supported,omitempty"`
	BackchannelLogoutSessionSupported          bool `json:"backchannel_logout_session_supported,omitempty"`
}
