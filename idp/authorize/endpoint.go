package authorize

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Endpoint is the authorization endpoint.
type Endpoint struct {
	Issuer       string
	Scopes       oidc.Scope // all that the provider knows
	Clients      Clients
	Users        *users.Directory
	Sessions     Sessions
	Grants       Grants
	Consents     Consents
	Interactions session.Seal[session.Interaction]
	Objects      Objects
	Pushed       Pushed
	Release      userinfo.Release
	Levels       Levels
	Resources    []string // the APIs that there are access tokens for (RFC 8707)
	// ClientAuth finds out which client pushes a request, and Proof whether it holds a key: the thumbprint of the key that a good
	// DPoP header names, "" where none came, an error for a bad one. nil: nobody looks.
	ClientAuth ClientAuth
	Proof      func(r *http.Request, client oidc.Client) (jkt string, err error)
	// Reveal is the user whom the client knows by the sub wire, "" for nobody. nil: every client knows all by their own sub.
	Reveal func(ctx context.Context, client oidc.Client, wire string) (sub string, err error)
	// Sign makes a JWT of the claims by alg, by the provider's default for "".
	Sign func(alg string, claims any) (string, error)
	// Hints returns the sub of an ID token that this provider signed, expired or not, or an error for anything else.
	Hints func(idToken string) (sub string, err error)
	// Visit writes down in the session that the client gets a code for the account. nil: nobody does.
	Visit func(ctx context.Context, s *session.Session, account session.Account, clientID string) error
	// SessionState is the session_state of an answer to the client about who is signed in, nil for nobody. nil: there is none.
	SessionState func(client oidc.Client, redirectURI string, s *session.Session) string
	// Explain gives an error the face that a client sees: oidc.AsError, and in development mode more.
	Explain func(error) *oidc.Error
	Now     func() time.Time
}

// What the endpoint asks of the rooms around it. The provider's own implement these; so do the decorators around them,
// through which the trace watches and the failure lab meddles.
type (
	// Clients is a *clients.Register.
	Clients interface {
		ByID(ctx context.Context, clientID string) (oidc.Client, error)
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

// Authorize takes one request through the endpoint. Its error has no verified address to go to and must be shown on a
// page; everything else is in the Outcome.
func (e *Endpoint) Authorize(r *http.Request) (Outcome, error) {
	// A raw semicolon is data (oidc-client-ts joins state by one), though Go reads it as a mistake.
	r.URL.RawQuery = strings.ReplaceAll(r.URL.RawQuery, ";", "%3B")
	malformed := r.ParseForm() // what could be read is in r.Form all the same
	waiting, err := e.resume(r)
	if err != nil {
		return Outcome{}, err
	}
	waiting, fault := e.unpack(r.Context(), waiting)
	address, err := e.returnAddress(r.Context(), waiting.Params)
	switch {
	case fault != nil && err != nil:
		return Outcome{}, fault
	case err != nil:
		return Outcome{}, err
	}
	request, err := e.parse(r.Context(), address.client, waiting.Params, waiting.StartedAt)
	if err != nil {
		fault = err
	}
	request.Malformed, request.faults.packed = malformed, fault
	request.FromObject, request.Pushed, request.RequestURI = waiting.FromObject, waiting.RequestURI != "", waiting.RequestURI
	return e.answer(r, address, request, waiting.Denied)
}

// answer decides, and sends what was decided to the verified address. denied is what the person said no to, in which way.
func (e *Endpoint) answer(r *http.Request, address ReturnAddress, request Request, denied string) (Outcome, error) {
	silent := wantsNoPage(request.Params)
	decided, refused := e.decide(r, request, denied)
	if decided.page != "" {
		return Outcome{Screen: decided.page, Sight: decided.Sight}, nil
	}
	values := url.Values{"code": {decided.code}}
	if refused != nil {
		values = e.Explain(refused).Params()
	}
	outcome, err := address.answer(e.withState(values, address, decided.Sight), silent)
	outcome.Refused, outcome.Sight = refused, decided.Sight
	return outcome, err
}

// resume gives the parameters of the request: those that just came, or those that were waiting for a person.
func (e *Endpoint) resume(r *http.Request) (session.Interaction, error) {
	if sealed := r.Form.Get(session.InteractionParam); sealed != "" && !r.Form.Has("client_id") {
		return e.Interactions.Open(sealed)
	}
	return session.Interaction{Params: r.Form, StartedAt: e.Now()}, nil
}

// decide judges a request whose address is verified: a code, else a page to show, else an error for the client.
func (e *Endpoint) decide(r *http.Request, request Request, denied string) (d decision, err error) {
	switch {
	case denied != "":
		d.Sight = e.look(r)
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
	d.Sight = Sight{Looked: true, Session: situation.Session}
	if need := needs.Broken(r.Context(), situation); need != nil {
		d.page, err = e.meet(need, situation)
		return d, err
	}
	if err := e.spend(r.Context(), request); err != nil {
		return d, err
	}
	if err := e.visit(r.Context(), situation); err != nil {
		return d, err
	}
	d.code, err = e.Grants.Issue(r.Context(), situation.grant())
	return d, err
}

// spend lets a pushed request give one code.
func (e *Endpoint) spend(ctx context.Context, request Request) error {
	if request.RequestURI == "" {
		return nil
	}
	return asRequestURI(e.Pushed.Spend(ctx, request.RequestURI))
}

// situation gathers what the provider knows about the person.
func (e *Endpoint) situation(r *http.Request, request Request) (s Situation, err error) {
	current, err := e.Sessions.Current(r)
	absence, absent := errors.AsType[session.Absence](err)
	if err != nil && !absent {
		return Situation{}, err
	}
	s = Situation{Request: request, Session: current, Absence: absence, Levels: e.Levels, Now: e.Now()}
	if user, ok := e.Users.ByName(request.LoginHint); ok {
		s.Hinted = user.Sub
	}
	s.Account = about(request, current, s.Hinted, s.Now)
	s.Consent, err = e.consent(r.Context(), s)
	if !s.mayStayOffline() {
		s.Scope = without(s.Scope, oidc.ScopeOffline)
	}
	return s, err
}

// consent reads what was allowed before, only where it matters: a first-party client costs no store operation.
func (e *Endpoint) consent(ctx context.Context, s Situation) (grant.Consent, error) {
	if s.Account == nil || s.Client.FirstParty && !s.Prompt.Has(oidc.PromptConsent) {
		return grant.Consent{}, nil
	}
	consents, err := e.Consents.Of(ctx, s.Account.Sub)
	return consents[s.Client.ClientID], err
}

// meet answers a need: with an error for a client that asked for no page, else with the page. Core §3.1.2.1: with
// prompt=none "the Authorization Server MUST NOT display any authentication or consent user interface pages. An error is
// returned if an End-User is not already authenticated".
func (e *Endpoint) meet(need *oidc.Rule[Situation], s Situation) (page string, err error) {
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

// show returns the address of the page that the need calls for, with the request sealed so that it can go on from there.
func (e *Endpoint) show(need *oidc.Rule[Situation], s Situation) (string, error) {
	waiting := session.Interaction{
		Params: s.Params, StartedAt: s.StartedAt, ClientID: s.Client.ClientID, Scope: s.toAllow(), Reason: tells[need.Text],
		FromObject: s.FromObject, RequestURI: s.RequestURI,
	}
	if s.Account != nil {
		waiting.Sub = s.Account.Sub
	}
	sealed, err := e.Interactions.Close(waiting)
	return screens[need.Else] + "?" + url.Values{session.InteractionParam: {sealed}}.Encode(), err
}

// grant is what the client gets when nothing stands in the way any more.
func (s Situation) grant() grant.Grant {
	return grant.Grant{
		ClientID:      s.Client.ClientID,
		RedirectURI:   s.RedirectURI,
		CodeChallenge: s.CodeChallenge,
		Nonce:         s.Nonce,
		Scope:         s.Scope,
		Sub:           s.Account.Sub,
		SID:           s.Account.SID,
		AuthTime:      s.Account.AuthTime,
		ACR:           s.acr(),
		AMR:           s.Account.AMR,
		Resource:      s.Resource,
		Claims:        s.Claims,
		DPoPJKT:       s.DPoPJKT,
	}
}
