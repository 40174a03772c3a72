package oidc

// Metadata is the provider's description of itself (Discovery §3, RFC 8414 §2). It lists only what works.
// https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata
type Metadata struct {
	Issuer                string `json:"issuer"`
	AuthorizationEndpoint string `json:"authorization_endpoint"`
	TokenEndpoint         string `json:"token_endpoint"`
	UserinfoEndpoint      string `json:"userinfo_endpoint"`
	JWKSURI               string `json:"jwks_uri"`
	EndSessionEndpoint    string `json:"end_session_endpoint"`

	RegistrationEndpoint               string `json:"registration_endpoint,omitempty"`
	RevocationEndpoint                 string `json:"revocation_endpoint,omitempty"`
	IntrospectionEndpoint              string `json:"introspection_endpoint,omitempty"`
	DeviceAuthorizationEndpoint        string `json:"device_authorization_endpoint,omitempty"`
	PushedAuthorizationRequestEndpoint string `json:"pushed_authorization_request_endpoint,omitempty"`
	CheckSessionIframe                 string `json:"check_session_iframe,omitempty"`
	StorageAccessEndpoint              string `json:"storage_access_endpoint,omitempty"` // of this provider only
	OPPolicyURI                        string `json:"op_policy_uri,omitempty"`
	OPTosURI                           string `json:"op_tos_uri,omitempty"`

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
	AuthorizationSigningAlgValuesSupported []string `json:"authorization_signing_alg_values_supported,omitempty"`
	IntrospectionSigningAlgValuesSupported []string `json:"introspection_signing_alg_values_supported,omitempty"`
	DPoPSigningAlgValuesSupported          []string `json:"dpop_signing_alg_values_supported,omitempty"`
	TokenEndpointAuthMethodsSupported      []string `json:"token_endpoint_auth_methods_supported"`
	TokenEndpointAuthAlgs                  []string `json:"token_endpoint_auth_signing_alg_values_supported,omitempty"`
	CodeChallengeMethodsSupported          []string `json:"code_challenge_methods_supported"`
	PromptValuesSupported                  []Prompt `json:"prompt_values_supported"`
	DisplayValuesSupported                 []string `json:"display_values_supported"`
	ACRValuesSupported                     []string `json:"acr_values_supported"`
	ClaimTypesSupported                    []string `json:"claim_types_supported"`
	ClaimsSupported                        []string `json:"claims_supported"`
	UILocalesSupported                     []string `json:"ui_locales_supported"`

	RevocationAuthMethods    []string `json:"revocation_endpoint_auth_methods_supported,omitempty"`
	RevocationAuthAlgs       []string `json:"revocation_endpoint_auth_signing_alg_values_supported,omitempty"`
	IntrospectionAuthMethods []string `json:"introspection_endpoint_auth_methods_supported,omitempty"`
	IntrospectionAuthAlgs    []string `json:"introspection_endpoint_auth_signing_alg_values_supported,omitempty"`

	ClaimsParameterSupported      bool `json:"claims_parameter_supported"`
	RequestParameterSupported     bool `json:"request_parameter_supported"`
	RequestURIParameterSupported  bool `json:"request_uri_parameter_supported"` // if omitted: true
	RequireRequestURIRegistration bool `json:"require_request_uri_registration"`

	RequirePushedAuthorizationRequests         bool `json:"require_pushed_authorization_requests,omitempty"`
	AuthorizationResponseIssParameterSupported bool `json:"authorization_response_iss_parameter_supported"`
	FrontchannelLogoutSupported                bool `json:"frontchannel_logout_supported,omitempty"`
	FrontchannelLogoutSessionSupported         bool `json:"frontchannel_logout_session_supported,omitempty"`
	BackchannelLogoutSupported                 bool `json:"backchannel_logout_supported,omitempty"`
	BackchannelLogoutSessionSupported          bool `json:"backchannel_logout_session_supported,omitempty"`
}
