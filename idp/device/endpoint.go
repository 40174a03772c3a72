package device

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// PathAuthorization is the device authorization endpoint (RFC 8628 §3.1).
const PathAuthorization = "/device_authorization"

// paramUserCode carries the user code, typed by a person or part of verification_uri_complete (RFC 8628 §3.3.1).
const paramUserCode = "user_code"

// Authorization is the device authorization endpoint.
type Authorization struct {
	Issuer    string
	Auth      *clientauth.Authenticator
	Devices   *Devices
	Scopes    oidc.Scope // all that the provider knows
	Resources []string   // the APIs that any client may ask access tokens for
	Limit     endpoint.Limit
}

// Endpoints returns the endpoint.
func (a *Authorization) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{{
		Name: "device_authorization", Path: PathAuthorization, Methods: []string{http.MethodPost},
		Audience: endpoint.Programs, Limit: a.Limit, Serve: a.serve,
		Describe: func(m *oidc.Metadata) { m.DeviceAuthorizationEndpoint = a.Issuer + PathAuthorization },
	}}
}

// Response is the device authorization response (RFC 8628 §3.2).
type Response struct {
	DeviceCode              string `json:"device_code"`
	UserCode                string `json:"user_code"`
	VerificationURI         string `json:"verification_uri"`
	VerificationURIComplete string `json:"verification_uri_complete"`
	ExpiresIn               int    `json:"expires_in"` // seconds
	Interval                int    `json:"interval"`   // seconds
}

// serve is POST /device_authorization.
func (a *Authorization) serve(w http.ResponseWriter, r *http.Request) error {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return err
	}
	client, err := a.Auth.Authenticate(r, form)
	if err != nil {
		return err
	}
	if !client.Grants(oidc.GrantDeviceCode) {
		return oidc.UnauthorizedClient.Errorf(
			"client %s is not registered for the device flow: add %s to its grant_types (RFC 8628 §3.1)",
			client.ClientID, oidc.GrantDeviceCode)
	}
	asResource := form["resource"]
	if client.AudienceAsResource && len(asResource) == 0 {
		asResource = form["audience"]
	}
	resources, err := oidc.ParseResources(asResource, client.AllowedResources(a.Resources))
	if err != nil {
		return err
	}
	asked := oidc.ParseScope(form.Get("scope"))
	trace.Narrow(r.Context(), "RFC 6749 §3.3", client.Refused(asked, a.Scopes)...)
	// The person consents to all of the scope, so it has offline_access if the client can use refresh tokens.
	scope := asked.Within(client.AllowedScope(a.Scopes))
	request := Pending{ClientID: client.ClientID, Scope: scope, Resource: resources}
	codes, err := a.Devices.Begin(r.Context(), request)
	if err != nil {
		return err
	}
	page := a.Issuer + session.PathDevice
	return oidc.WriteJSON(w, http.StatusOK, Response{
		DeviceCode: codes.Device, UserCode: codes.User, VerificationURI: page,
		VerificationURIComplete: page + "?" + url.Values{paramUserCode: {codes.User}}.Encode(),
		ExpiresIn:               int(Lifetime / time.Second), Interval: int(Interval / time.Second),
	})
}

// Page serves /device.
type Page struct {
	Issuer       string
	Pages        *pages.Pages
	Clients      *clients.Register
	Users        *users.Directory
	Sessions     *session.Manager
	Devices      *Devices
	Interactions session.Seal[session.Interaction]
	ScopeTexts   map[string]string // of configured scopes
	Addresses    *limit.Addresses
	WrongCodes   *limit.Table[netip.Prefix] // by address
}

// Endpoints returns the page and its form.
func (p *Page) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		pages.Route(http.MethodGet, "device", session.PathDevice, session.Serve(p.Sessions, p.show)),
		pages.Route(http.MethodPost, "device", session.PathDevice, session.Serve(p.Sessions, p.decide)),
	}
}

// show is GET /device: the field for the code, or what the device asks for. It redirects to the sign-in first.
func (p *Page) show(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	query, _ := oidc.ParseQuery(r.URL.RawQuery)
	typed, reason := clip(query.Get(paramUserCode)), ""
	if sealed := query.Get(session.InteractionParam); sealed != "" { // the redirect of the sign-in
		waiting, err := p.Interactions.Open(sealed)
		if err != nil {
			return err
		}
		typed = waiting.Params.Get(paramUserCode)
		if waiting.SignedIn {
			reason = session.CookieLost
		}
	}
	if current == nil {
		return p.signIn(w, r, typed, reason)
	}
	if typed == "" {
		return p.render(w, http.StatusOK, pages.Device{Frame: p.Pages.Frame(r, p.Issuer)})
	}
	found, err := p.find(r, typed)
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	return p.ask(w, r, found, typed, current)
}

// decide is POST /device: the decision of a person. Only the account that the page named can allow.
func (p *Page) decide(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	typed := clip(r.Form.Get(paramUserCode))
	account, signedIn := current.Account(r.Form.Get("account"))
	if !signedIn { // signed out meanwhile
		return p.signIn(w, r, typed, "")
	}
	decision := Deny
	if r.Form.Get("decision") == Allow {
		decision = Allow
	}
	found, err := p.find(r, typed)
	if err == nil {
		err = p.Devices.Decide(r.Context(), found, decision, grant.Grant{
			Issuer: p.Issuer, Sub: account.Sub, AuthTime: account.AuthTime, ACR: account.ACR, AMR: account.AMR,
		})
	}
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	return p.render(w, http.StatusOK, pages.Device{Frame: p.Pages.Frame(r, p.Issuer), Decision: decision})
}

// maxTyped is longer than a code with punctuation between its letters.
const maxTyped = 64

// clip shortens input that cannot be a code, because the page and the sign-in carry it.
func clip(typed string) string { return strings.ToValidUTF8(typed[:min(len(typed), maxTyped)], "") }

// find returns the request with the typed code. A wrong code counts against the limit of the address.
func (p *Page) find(r *http.Request, typed string) (Pending, error) {
	giveBack, err := p.WrongCodes.Take(p.Addresses.Of(r))
	if err != nil {
		return Pending{}, err
	}
	found, err := p.Devices.Find(r.Context(), typed)
	if err == nil {
		giveBack()
	}
	return found, err
}

// via is the path with an interaction that returns to this page. reason says why the page at path is shown.
func (p *Page) via(path, typed, reason string) (string, error) {
	return p.Interactions.URL(path, session.Interaction{
		Path: session.PathDevice, Params: url.Values{paramUserCode: {typed}}, Reason: reason,
	})
}

func (p *Page) signIn(w http.ResponseWriter, r *http.Request, typed, reason string) error {
	target, err := p.via(session.PathLogin, typed, reason)
	if err != nil {
		return err
	}
	return pages.Redirect(w, r, target)
}

// ask shows the request of the device, for the account used last.
func (p *Page) ask(
	w http.ResponseWriter, r *http.Request, found Pending, typed string, current *session.Session,
) error {
	client, err := p.Clients.ByID(r.Context(), found.ClientID)
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	user, _ := p.Users.BySub(current.Accounts[0].Sub)
	another, err := p.via(session.PathSelectAccount, typed, "")
	if err != nil {
		return err
	}
	frame := p.Pages.Frame(r, p.Issuer)
	frame.Client = client
	return p.render(w, http.StatusOK, pages.Device{
		Frame: frame, UserCode: formatted(typed), Account: pages.NewAccount(user), Another: another,
		Scopes: pages.DescribeScope(found.Scope, p.ScopeTexts),
	})
}

// refuse shows that the code is unknown, or returns any other error.
func (p *Page) refuse(w http.ResponseWriter, r *http.Request, typed string, err error) error {
	if errors.Is(err, ErrUnknown) || errors.Is(err, clients.ErrUnknown) {
		page := pages.Device{Frame: p.Pages.Frame(r, p.Issuer), UserCode: typed, Unknown: true}
		return p.render(w, http.StatusNotFound, page)
	}
	return err
}

func (p *Page) render(w http.ResponseWriter, status int, page pages.Device) error {
	return p.Pages.Render(w, status, page, pages.Policy{})
}
