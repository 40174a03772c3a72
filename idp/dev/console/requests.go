package console

import (
	"context"
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
)

// requestKind is a kind of request that the tab Try it builds. Name is its grant_type at the token endpoint, and the
// name of the endpoint elsewhere.
type requestKind struct {
	Name       string             `json:"name"`
	Method     string             `json:"method"`
	Address    string             `json:"address"` // of the endpoint
	Parameters []requestParameter `json:"parameters"`
}

// requestParameter is a parameter that the provider reads in requests of some kinds.
type requestParameter struct {
	Name   string   `json:"name"`
	Help   string   `json:"help"`             // in one line
	Spec   string   `json:"spec"`             // the section that defines it
	Values []string `json:"values,omitempty"` // that the provider knows; a request may have others
}

// requestList is the answer of GET /console/requests.
type requestList struct {
	Kinds        []requestKind  `json:"kinds"`
	RedirectURIs []redirectURIs `json:"redirect_uris"` // of the clients whose apps sent a request
}

// redirectURIs are the registered redirect URIs that the app of a client used last, with the port that the app has.
type redirectURIs struct {
	ClientID string `json:"client_id"`
	SignIn   string `json:"sign_in"`
	Silent   string `json:"silent"` // in a hidden iframe; if the app has sent no such request, it is that of sign_in
}

// The kinds of requests.
const (
	kindAuthorize = "authorize"
	kindPush      = "par"
	kindCode      = oidc.GrantAuthorizationCode
	kindRefresh   = oidc.GrantRefreshToken
	kindClient    = oidc.GrantClientCredentials
	kindDevice    = "device_authorization"
	kindPoll      = oidc.GrantDeviceCode
)

var (
	authorizations = []string{kindAuthorize, kindPush}
	grants         = []string{kindCode, kindRefresh, kindClient, kindPoll}
	byPrograms     = append([]string{kindPush, kindDevice}, grants...)
	everyKind      = append([]string{kindAuthorize}, byPrograms...)
)

// parameters are all that the provider reads in these requests, with the kinds of requests that have them. known are
// the values that the metadata lists. TestTryItHasEachParameterThatTheProviderReads compares with the code.
var parameters = []struct {
	kinds            []string
	name, spec, help string
	known            func(oidc.Metadata) []string
}{
	{[]string{kindCode}, "grant_type", "RFC 6749 §4.1.3", "The client exchanges a code for tokens.", only(kindCode)},
	{[]string{kindRefresh}, "grant_type", "RFC 6749 §6", "The client exchanges a refresh token for tokens.",
		only(kindRefresh)},
	{[]string{kindClient}, "grant_type", "RFC 6749 §4.4.2", "The client requests a token for itself, without a user.",
		only(kindClient)},
	{[]string{kindPoll}, "grant_type", "RFC 8628 §3.4", "The device asks whether its user has decided.", only(kindPoll)},
	{authorizations, "response_type", "Core §3.1.2.1", "The values in the answer. This provider issues codes only.",
		func(m oidc.Metadata) []string { return m.ResponseTypesSupported }},
	{everyKind, "client_id", "RFC 6749 §2.2", "The client that sends the request.", nil},
	{authorizations, "redirect_uri", "Core §3.1.2.1",
		"The address for the answer. The client must have registered it; on localhost the port may differ.", nil},
	{append([]string{kindRefresh, kindClient, kindDevice}, authorizations...), "scope", "RFC 6749 §3.3",
		"The access that the client requests, as words with spaces between. A sign-in needs openid.",
		func(m oidc.Metadata) []string { return m.ScopesSupported }},
	{authorizations, "state", "RFC 6749 §4.1.1",
		"The answer repeats it. The client compares both, so that no other site can send it an answer.", nil},
	{authorizations, "nonce", "Core §3.1.2.1", "The ID token repeats it. The client compares both.", nil},
	{authorizations, "code_challenge", "RFC 7636 §4.2", "The SHA-256 of the code_verifier, in base64url.", nil},
	{authorizations, "code_challenge_method", "RFC 7636 §4.3", "The method that makes the challenge from the verifier.",
		func(m oidc.Metadata) []string { return m.CodeChallengeMethodsSupported }},
	{authorizations, "prompt", "Core §3.1.2.1", "The pages that the provider must show; none forbids all pages.", prompts},
	{authorizations, "login_hint", "Core §3.1.2.1", "The user that the client expects: a username or an email address.",
		nil},
	{authorizations, "id_token_hint", "Core §3.1.2.1", "An earlier ID token. The answer must be about its user.", nil},
	{authorizations, "max_age", "Core §3.1.2.1", "The largest allowed age of the sign-in, in seconds.", nil},
	{authorizations, "acr_values", "Core §3.1.2.1", "Ways to sign in that the client wants, best first.",
		func(m oidc.Metadata) []string { return m.ACRValuesSupported }},
	{authorizations, "claims", "Core §5.5", "Single claims for the ID token or for userinfo, as a JSON object.", nil},
	{authorizations, "response_mode", "OAuth 2.0 Multiple Response Type Encoding Practices §2.1",
		"The form of the answer: in the query, in the fragment, as a form, as a message, or as a signed JWT.",
		func(m oidc.Metadata) []string { return m.ResponseModesSupported }},
	{authorizations, "display", "Core §3.1.2.1", "The kind of page. This provider has one kind for all screen sizes.",
		func(m oidc.Metadata) []string { return m.DisplayValuesSupported }},
	{authorizations, "ui_locales", "Core §3.1.2.1", "Languages for the pages, best first.",
		func(m oidc.Metadata) []string { return m.UILocalesSupported }},
	{append([]string{kindDevice}, append(authorizations, grants...)...), "resource", "RFC 8707 §2",
		"The address of the API that the access token is for. It may come several times.", nil},
	{append([]string{kindDevice}, append(authorizations, grants...)...), "audience", "a parameter of Auth0, no standard",
		"Like resource, for a client with audience_as_resource.", nil},
	{authorizations, "dpop_jkt", "RFC 9449 §10", "The thumbprint of the key that the code is bound to.", nil},
	{authorizations, "request", "Core §6.1", "The parameters as a JWT that the client signed.", nil},
	{[]string{kindAuthorize}, "request_uri", "RFC 9126 §4",
		"The name of a pushed request, or the address of a request object.", nil},
	{authorizations, "registration", "Core §7.2.1",
		"Metadata of a self-issued provider's client. This provider refuses it.", nil},
	{[]string{kindCode}, "code", "RFC 6749 §4.1.3", "The code of the authorization response. It is valid once.", nil},
	{[]string{kindCode}, "redirect_uri", "RFC 6749 §4.1.3", "The same address as in the authorization request.", nil},
	{[]string{kindCode}, "code_verifier", "RFC 7636 §4.5", "The secret whose SHA-256 is the code_challenge.", nil},
	{[]string{kindRefresh}, "refresh_token", "RFC 6749 §6",
		"The refresh token of a token response with scope offline_access.", nil},
	{[]string{kindPoll}, "device_code", "RFC 8628 §3.4", "The device_code of the device authorization response.", nil},
	{byPrograms, "client_secret", "RFC 6749 §2.3.1", "The secret of a client that authenticates by client_secret_post.",
		nil},
	{byPrograms, "client_assertion_type", "RFC 7523 §2.2", "Says that the assertion is a JWT.",
		only("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")},
	{byPrograms, "client_assertion", "RFC 7523 §2.2", "A JWT that the client signed, instead of a secret.", nil},
}

func only(value string) func(oidc.Metadata) []string {
	return func(oidc.Metadata) []string { return []string{value} }
}

func prompts(m oidc.Metadata) (values []string) {
	for _, prompt := range m.PromptValuesSupported {
		values = append(values, string(prompt))
	}
	return values
}

// requests is GET /console/requests: the requests that the tab Try it builds.
func (e *Endpoint) requests(_ http.ResponseWriter, r *http.Request) (any, error) {
	m := oidc.Metadata{ScopesSupported: e.Provided.Scope, UILocalesSupported: e.Pages.Languages()}
	for _, served := range e.Served {
		if served.Describe != nil {
			served.Describe(&m)
		}
	}
	kinds := []requestKind{
		{Name: kindAuthorize, Method: http.MethodGet, Address: m.AuthorizationEndpoint},
		{Name: kindPush, Method: http.MethodPost, Address: m.PushedAuthorizationRequestEndpoint},
		{Name: kindDevice, Method: http.MethodPost, Address: m.DeviceAuthorizationEndpoint},
	}
	for _, name := range grants {
		kinds = append(kinds, requestKind{Name: name, Method: http.MethodPost, Address: m.TokenEndpoint})
	}
	for i := range kinds {
		kinds[i].Parameters = parametersOf(kinds[i].Name, m)
	}
	return requestList{kinds, e.redirectURIs(r.Context())}, nil
}

// redirectURIs lists what the apps used, by what Check my app knows.
func (e *Endpoint) redirectURIs(ctx context.Context) []redirectURIs {
	list, known := []redirectURIs{}, map[string]bool{}
	flows := check.OfApps(e.Hub.Flows())
	for _, flow := range flows {
		client, err := e.Clients.ByID(ctx, flow.ClientID)
		if err != nil || known[flow.ClientID] {
			continue
		}
		known[flow.ClientID] = true
		if signIn, silent := check.RedirectURIs(*client, flows); signIn != "" {
			list = append(list, redirectURIs{flow.ClientID, signIn, silent})
		}
	}
	return list
}

// parametersOf lists the parameters of a kind of request.
func parametersOf(kind string, m oidc.Metadata) (list []requestParameter) {
	for _, p := range parameters {
		if !slices.Contains(p.kinds, kind) {
			continue
		}
		parameter := requestParameter{Name: p.name, Help: p.help, Spec: p.spec}
		if p.known != nil {
			parameter.Values = p.known(m)
		}
		list = append(list, parameter)
	}
	return list
}
