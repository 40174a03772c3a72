package authorize

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// The paths of the authorization endpoint and of the pushed authorization request endpoint (RFC 9126).
const (
	Path     = session.PathAuthorize
	PathPush = "/par"
)

// Endpoint is the authorization endpoint and the pushed authorization request endpoint.
type Endpoint struct {
	Issuer    string
	Scopes    oidc.Scope // all scope values of the provider
	Resources []string   // the APIs that accept access tokens (RFC 8707)
	Levels    Levels
	Release   claims.Release

	Clients  Clients
	Sessions Sessions
	Grants   Grants
	Consents Consents

	Auth         *clientauth.Authenticator // authenticates clients at PathPush
	Proofs       *dpop.Checker
	Users        *users.Directory
	Subjects     *clients.Subjects
	Hints        *access.Hints
	Browsers     *session.Manager // sets the browser state, and records which clients got a code
	Interactions session.Seal[session.Interaction]
	Objects      *ObjectReader
	Pushed       *PushedRequests
	Keys         *keys.KeySet // sign JARM answers
	DefaultAlg   string       // of JARM answers, if the client registered none
	Pages        *pages.Pages
	Errors       endpoint.Errors
	Limit        endpoint.Limit // of PathPush
	Now          func() time.Time
	Random       func() string
}

// Development mode decorates these four parts.
type (
	// Clients is a *clients.Register.
	Clients interface {
		ByID(ctx context.Context, clientID string) (*oidc.Client, error)
	}
	// Sessions is a *session.Manager.
	Sessions interface {
		Current(r *http.Request) (*session.Session, error)
	}
	// Grants is a *grant.Grants.
	Grants interface {
		Issue(ctx context.Context, granted grant.Grant) (code string, err error)
	}
	// Consents is a *grant.Consents.
	Consents interface {
		Of(ctx context.Context, sub string) (map[string]grant.Consent, error)
	}
)

// Endpoints returns /authorize and /par.
func (e *Endpoint) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		{
			Name: "authorize", Path: Path, Methods: []string{http.MethodGet, http.MethodPost}, Audience: endpoint.Visitors,
			Serve: e.serve, Describe: e.describe,
		},
		{
			Name: "par", Path: PathPush, Methods: []string{http.MethodPost}, Audience: endpoint.Programs,
			Serve: e.servePush, Limit: e.Limit,
			Describe: func(m *oidc.Metadata) { m.PushedAuthorizationRequestEndpoint = e.Issuer + PathPush },
		},
	}
}

func (e *Endpoint) describe(m *oidc.Metadata) {
	m.AuthorizationEndpoint = e.Issuer + Path
	m.ResponseModesSupported = ResponseModes()
	m.ACRValuesSupported = e.Levels.Values()
	m.RequestObjectSigningAlgValuesSupported = ObjectAlgorithms()
	m.ResponseTypesSupported = []string{"code"}
	m.CodeChallengeMethodsSupported = []string{"S256"}
	m.PromptValuesSupported = oidc.KnownPrompts()
	m.DisplayValuesSupported = []string{"page", "popup"}
	m.AuthorizationSigningAlgValuesSupported = m.IDTokenSigningAlgValuesSupported
	m.ClaimsParameterSupported, m.RequestParameterSupported, m.RequestURIParameterSupported = true, true, true
	m.RequireRequestURIRegistration, m.AuthorizationResponseIssParameterSupported = true, true
}

// Outcome is the decision of the endpoint: one of Redirect, Post, Screen, or Activate.
type Outcome struct {
	Redirect string      // 303 to this URL
	Post     *Post       // a page that posts the answer
	Screen   string      // 303 to this path of the provider
	Activate *Activation // an answer to the browser, which then sends the request with its cookies
	Refused  error       // why the answer is an error, for the log
	Browser
}

// Browser is the session of a request's browser. A request that breaks a rule is refused before the session is read.
type Browser struct {
	Looked  bool             // the session was read
	Session *session.Session // nil: nobody is signed in
	Absence session.Absence  // why Session is nil
}

// serve serves GET and POST /authorize. The redirect is a 303, so that the client never gets a POST (RFC 9700 §4.12).
func (e *Endpoint) serve(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	outcome, err := e.Authorize(r)
	// A request with the cookie of an earlier sign-in may be answered after a later sign-in has set its cookies.
	// Its answer must not replace them.
	if outcome.Looked && outcome.Absence != session.Superseded {
		e.Browsers.SetBrowserState(w, r, outcome.Session)
	}
	if outcome.Refused != nil {
		endpoint.Refuse(w, e.Errors.Explain(r.Context(), outcome.Refused))
	}
	switch {
	case err != nil:
		return err
	case outcome.Post != nil:
		return e.showAnswer(w, r, outcome)
	case outcome.Activate != nil:
		return e.activate(w, outcome.Activate)
	}
	// In the hidden iframe of an app with a Cross-Origin-Embedder-Policy, Chromium stops a redirect without this header.
	// The redirect has no content that it could protect. https://html.spec.whatwg.org/#cross-origin-embedder-policies
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin")
	w.Header().Set("Location", cmp.Or(outcome.Screen, outcome.Redirect))
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// Authorize decides about one request. Its error must be shown on a page; all other errors are in the Outcome.
func (e *Endpoint) Authorize(r *http.Request) (Outcome, error) {
	malformed := oidc.ParseForm(r) // r.Form has the parameters that could be read
	waiting, err := e.resume(r)
	if err != nil {
		return Outcome{}, err
	}
	address, request, err := e.read(r.Context(), waiting)
	if err != nil {
		return Outcome{}, err
	}
	request.Malformed = malformed
	if request.Bridged = waiting.Bridged; request.Bridged {
		r = e.crossed(r, waiting.Params)
	}
	return e.answer(r, address, &request, waiting.Denied)
}

// read verifies the client and its address, and makes a typed request of the parameters.
func (e *Endpoint) read(ctx context.Context, waiting session.Interaction) (ReturnAddress, Request, error) {
	var fault error
	if waiting.Params.Get("request") != "" || waiting.Params.Get("request_uri") != "" {
		waiting, fault = e.unpack(ctx, waiting)
	}
	address, err := e.returnAddress(ctx, waiting.Params)
	switch {
	case fault != nil && err != nil:
		return ReturnAddress{}, Request{}, fault
	case err != nil:
		return ReturnAddress{}, Request{}, err
	}
	request, err := e.parse(ctx, address.client, waiting.Params, waiting.StartedAt)
	if err != nil {
		fault = err
	}
	request.faults.packed = fault
	request.FromObject, request.Pushed = waiting.FromObject, waiting.RequestURI != ""
	request.RequestURI, request.SignedIn = waiting.RequestURI, waiting.SignedIn
	return address, request, nil
}

// answer decides, and sends the decision to the verified address. denied is the text of the user's refusal, or "".
func (e *Endpoint) answer(r *http.Request, address ReturnAddress, request *Request, denied string) (Outcome, error) {
	silent := request.Prompt.Has(oidc.PromptNone) || wantsNoPage(request.Params)
	decided, refused := e.decide(r, request, denied)
	switch {
	case decided.page != "":
		return Outcome{Screen: decided.page, Browser: decided.Browser}, nil
	case decided.activation != nil: // the session is not known yet
		return Outcome{Activate: decided.activation}, nil
	}
	values := url.Values{"code": {decided.code}}
	if refused != nil {
		values = e.Errors.Explain(r.Context(), refused).Params()
	}
	outcome, err := e.send(r.Context(), address, values, decided.Browser, silent)
	outcome.Refused, outcome.Browser = refused, decided.Browser
	return outcome, err
}

// resume returns the parameters of the request: from the URL or form, or from a request that waited for the user.
func (e *Endpoint) resume(r *http.Request) (session.Interaction, error) {
	now := e.Now()
	if sealed := r.Form.Get(session.InteractionParam); sealed != "" && !r.Form.Has("client_id") {
		waiting, err := e.Interactions.Open(sealed)
		if waiting.StartedAt.Sub(now) > grant.ClockError { // the clock was set back, and no time is after StartedAt
			waiting.StartedAt = now
		}
		return waiting, err
	}
	return session.Interaction{Params: r.Form, StartedAt: now}, nil
}

// decision is the result of a request: a code, a page to show first, or how to get the cookies.
type decision struct {
	code, page string
	activation *Activation
	Browser
}

// decide judges a request with a verified address. It returns a code, a page to show, or an error for the client.
func (e *Endpoint) decide(r *http.Request, request *Request, denied string) (d decision, err error) {
	switch {
	case denied != "":
		current, err := e.Sessions.Current(r)
		if absence, absent := errors.AsType[session.Absence](err); err == nil || absent {
			d.Browser = Browser{Looked: true, Session: current, Absence: absence}
		}
		return d, oidc.AccessDenied.Errorf("%s", denied)
	case request.faults.packed != nil:
		return d, request.faults.packed
	}
	if err := rules.Judge(r.Context(), request); err != nil {
		return d, err
	}
	situation, err := e.situation(r, request)
	if err != nil {
		return d, err
	}
	d.Browser = Browser{Looked: true, Session: situation.Session, Absence: situation.Absence}
	if need := needs.Broken(r.Context(), situation); need != nil {
		if d.activation, err = e.activation(r, situation); d.activation != nil || err != nil {
			return d, err
		}
		d.page, err = e.meet(need, situation)
		return d, err
	}
	if request.RequestURI != "" { // a pushed request gives one code
		if err := e.Pushed.Spend(r.Context(), request.RequestURI); err != nil {
			return d, asRequestURI(err)
		}
	}
	// This comes before the code, so that every client with a code is notified when the session ends.
	err = e.Browsers.RecordClient(r.Context(), situation.Session, *situation.Account, situation.Client.ClientID)
	if err != nil {
		return d, err
	}
	granted := situation.grant()
	granted.Issuer = e.Issuer
	d.code, err = e.Grants.Issue(r.Context(), granted)
	return d, err
}

// situation collects the provider's data about the user.
func (e *Endpoint) situation(r *http.Request, request *Request) (s *Situation, err error) {
	current, err := e.Sessions.Current(r)
	absence, absent := errors.AsType[session.Absence](err)
	if err != nil && !absent {
		return nil, err
	}
	s = &Situation{Request: request, Session: current, Absence: absence, Issuer: e.Issuer, Levels: e.Levels, Now: e.Now()}
	if request.LoginHint != "" {
		// A user without an account in this browser is as unknown here as no user, so no answer tells which users exist.
		user, _ := e.Users.ByName(request.LoginHint)
		if _, isSignedIn := current.Account(user.Sub); isSignedIn {
			s.Hinted = user.Sub
		}
	}
	s.Account = about(request, current, s.Hinted, s.Now)
	if s.Account != nil && (!s.Client.FirstParty || s.Prompt.Has(oidc.PromptConsent)) {
		// Consents are read only if consent is needed, so a first-party client costs no store operation.
		consents, err := e.Consents.Of(r.Context(), s.Account.Sub)
		if err != nil {
			return nil, err
		}
		s.Consent = consents[s.Client.ClientID]
	}
	if s.Scope.Has(oidc.ScopeOffline) && !s.mayStayOffline() {
		s.Scope = s.Scope.Without(oidc.Scope{oidc.ScopeOffline})
		trace.Narrow(r.Context(), "Core §11", "scope offline_access was left out: the user has not allowed it, "+
			"and prompt=none forbids the consent page")
	}
	return s, nil
}

// meet returns the page that meets a broken need; with prompt=none, an error for the client (Core §3.1.2.1).
func (e *Endpoint) meet(need *oidc.Rule[*Situation], s *Situation) (page string, err error) {
	inVain := need.Else == oidc.UnmetAuthenticationRequirements && s.cannotReachACR()
	if !s.Prompt.Has(oidc.PromptNone) && !inVain {
		return e.show(need, s)
	}
	refused := need.Breach(s)
	if s.Absence != "" {
		refused = refused.Blame(s.Absence.Reason())
	}
	return "", refused
}

// show returns the address of the need's page, with the sealed request in it.
func (e *Endpoint) show(need *oidc.Rule[*Situation], s *Situation) (string, error) {
	waiting := session.Interaction{
		Params: s.Params, StartedAt: s.StartedAt, ClientID: s.Client.ClientID, Scope: s.toAllow(), Reason: tells[need.Text],
		FromObject: s.FromObject, RequestURI: s.RequestURI, Path: s.Path, Sub: s.ChosenSub,
	}
	if s.SignedIn && s.Absence == session.NoCookie {
		waiting.Reason = session.CookieLost
	}
	if s.Account != nil {
		waiting.Sub = s.Account.Sub
	}
	return e.Interactions.URL(screens[need.Else], waiting)
}

// grant returns the grant that the code stands for.
func (s *Situation) grant() grant.Grant {
	return grant.Grant{
		ClientID: s.Client.ClientID, RedirectURI: s.RedirectURI, CodeChallenge: s.CodeChallenge, Nonce: s.Nonce,
		Scope: s.Scope, Resource: s.Resource, Claims: s.Claims, DPoPJKT: s.DPoPJKT,
		Sub: s.Account.Sub, SID: s.Account.SID, AuthTime: s.Account.AuthTime, ACR: s.acr(), AMR: s.Account.AMR,
	}
}
