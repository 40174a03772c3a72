package fedcm

import (
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// The paths of the endpoints. The browser asks for PathWellKnown at the root of the host.
const (
	PathWellKnown  = "/.well-known/web-identity"
	PathConfig     = "/fedcm/config.json"
	pathAccounts   = "/fedcm/accounts"
	pathClient     = "/fedcm/client_metadata"
	pathAssertion  = "/fedcm/assertion"
	pathDisconnect = "/fedcm/disconnect"
	pathContinue   = "/fedcm/continue"
	pathLogin      = "/fedcm/login"
	pathClose      = "/fedcm/close"
)

// The fields of the browser's forms that this package reads, besides client_id and nonce.
const (
	formAccount     = "account_id"
	formParams      = "params"
	formIsAutomatic = "is_auto_selected"
)

const (
	webIdentity = "webidentity"        // the value of Sec-Fetch-Dest in requests of FedCM
	publicFor   = "public, max-age=60" // Cache-Control of the documents
)

// Endpoint serves FedCM.
type Endpoint struct {
	Issuer       string
	Judge        Judge
	Clients      clients.Lookup
	Sessions     Sessions
	Users        *users.Directory
	Browsers     *session.Manager // forgets a client that disconnects
	Subjects     *clients.Subjects
	Consents     *grant.Consents
	Interactions session.Seal[session.Interaction]
	Pages        *pages.Pages
	Errors       endpoint.Errors
	Now          func() time.Time
}

// Judge is the authorization endpoint: an *authorize.Endpoint.
type Judge interface {
	// ReadParams reads the JSON of the member params.
	ReadParams(text, clientID string) (url.Values, error)
	// Decide returns a code, the address of a page to show first, or an error. origin is that of the script that gets the
	// code; "" if the request comes back from a page.
	Decide(r *http.Request, waiting session.Interaction, origin string) (code, page string, err error)
}

// Parts that the provider has.
type (
	// Sessions is a *session.Manager.
	Sessions interface {
		Current(r *http.Request) (*session.Session, error)
	}
)

// Endpoints returns the documents, the endpoints that the browser asks, and the pages of its pop-up window.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	get := []string{http.MethodGet}
	file := func(path string, serve endpoint.Handler) endpoint.Endpoint {
		return endpoint.Endpoint{Name: "fedcm", Path: path, Methods: get, Audience: endpoint.Files, Serve: serve}
	}
	page := func(path string, serve endpoint.Handler) endpoint.Endpoint {
		return endpoint.Endpoint{Name: "fedcm", Path: path, Methods: get, Audience: endpoint.Visitors, Serve: serve}
	}
	return []endpoint.Endpoint{
		file(PathWellKnown, e.serveWellKnown), file(PathConfig, e.serveConfig), file(pathClient, e.serveClient),
		{
			Name: "fedcm_accounts", Path: pathAccounts, Methods: get, Audience: endpoint.UserAgents, Serve: e.serveAccounts,
		},
		{
			Name: "fedcm_assertion", Path: pathAssertion, Methods: []string{http.MethodPost}, Audience: endpoint.UserAgents,
			Serve: e.serveAssertion,
		},
		{
			Name: "fedcm_disconnect", Path: pathDisconnect, Methods: []string{http.MethodPost},
			Audience: endpoint.UserAgents, Serve: e.serveDisconnect,
		},
		page(pathContinue, e.serveContinue), page(pathLogin, e.serveLogin), page(pathClose, e.serveClose),
	}
}

// wellKnown is the document by which the browser checks that the provider stands behind the configuration. With the
// last two members several configurations may exist.
type wellKnown struct {
	ProviderURLs     []string `json:"provider_urls"`
	AccountsEndpoint string   `json:"accounts_endpoint"`
	LoginURL         string   `json:"login_url"`
}

func (e *Endpoint) serveWellKnown(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", publicFor)
	return oidc.WriteJSON(w, http.StatusOK, wellKnown{
		ProviderURLs: []string{e.Issuer + PathConfig}, AccountsEndpoint: e.Issuer + pathAccounts,
		LoginURL: e.Issuer + pathLogin,
	})
}

// configuration is the document that the app names as configURL.
type configuration struct {
	AccountsEndpoint       string `json:"accounts_endpoint"`
	ClientMetadataEndpoint string `json:"client_metadata_endpoint"`
	IDAssertionEndpoint    string `json:"id_assertion_endpoint"`
	DisconnectEndpoint     string `json:"disconnect_endpoint"`
	LoginURL               string `json:"login_url"`
	// SupportsUseOtherAccount lets the dialog offer the sign-in with one more account.
	SupportsUseOtherAccount bool `json:"supports_use_other_account"`
}

func (e *Endpoint) serveConfig(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", publicFor)
	return oidc.WriteJSON(w, http.StatusOK, configuration{
		AccountsEndpoint: e.Issuer + pathAccounts, ClientMetadataEndpoint: e.Issuer + pathClient,
		IDAssertionEndpoint: e.Issuer + pathAssertion, DisconnectEndpoint: e.Issuer + pathDisconnect,
		LoginURL: e.Issuer + pathLogin, SupportsUseOtherAccount: true,
	})
}

// clientMetadata is what the dialog shows of an app that the user has not signed in to yet.
type clientMetadata struct {
	PrivacyPolicyURL  string `json:"privacy_policy_url,omitempty"`
	TermsOfServiceURL string `json:"terms_of_service_url,omitempty"`
}

// serveClient answers for any origin: the same is on the page that asks for consent.
func (e *Endpoint) serveClient(w http.ResponseWriter, r *http.Request) error {
	_ = oidc.ParseForm(r) // the rest of a query that cannot be read is not needed
	client, err := e.client(r.Context(), r.Form.Get("client_id"))
	if err != nil {
		return err
	}
	if err := known.Judge(r.Context(), client); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", publicFor)
	return oidc.WriteJSON(w, http.StatusOK, clientMetadata{client.PolicyURI, client.TosURI})
}
