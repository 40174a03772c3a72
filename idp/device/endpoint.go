package device

import (
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// paramUserCode carries the user code, typed by a person or part of verification_uri_complete (RFC 8628 §3.3.1).
const paramUserCode = "user_code"

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
	page := endpoint.Endpoint{
		Name: "device", Path: session.PathDevice, Methods: []string{http.MethodGet}, Audience: endpoint.People, Serve: p.show,
	}
	form := page
	form.Methods, form.Serve = []string{http.MethodPost}, p.decide
	return []endpoint.Endpoint{page, form}
}

// show is GET /device: the field for the code, or what the device asks for. It redirects to the sign-in first.
func (p *Page) show(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	typed := clip(query.Get(paramUserCode))
	if sealed := query.Get(session.InteractionParam); sealed != "" { // back from the sign-in
		waiting, err := p.Interactions.Open(sealed)
		if err != nil {
			return err
		}
		typed = waiting.Params.Get(paramUserCode)
	}
	current, err := session.OrNone(p.Sessions.Current(r))
	switch {
	case err != nil:
		return err
	case current == nil:
		return p.signIn(w, r, typed)
	case typed == "":
		return p.render(w, r, http.StatusOK, pages.Device{})
	}
	found, err := p.find(r, typed)
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	return p.ask(w, r, found, typed, current)
}

// decide is POST /device: the decision of a person. Only the account that the page named can allow.
func (p *Page) decide(w http.ResponseWriter, r *http.Request) error {
	typed := clip(r.FormValue(paramUserCode))
	current, err := session.OrNone(p.Sessions.Current(r))
	if err != nil {
		return err
	}
	account, signedIn := current.Account(r.FormValue("account"))
	if !signedIn { // signed out meanwhile
		return p.signIn(w, r, typed)
	}
	decision := Deny
	if r.FormValue("decision") == Allow {
		decision = Allow
	}
	found, err := p.find(r, typed)
	if err == nil {
		err = p.Devices.Decide(r.Context(), found, decision, grant.Grant{
			Sub: account.Sub, AuthTime: account.AuthTime, ACR: account.ACR, AMR: account.AMR,
		})
	}
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	return p.render(w, r, http.StatusOK, pages.Device{Decision: decision})
}

// maxTyped is longer than a code with everything that a person may put between its letters.
const maxTyped = 64

// clip shortens input that cannot be a code, because the page and the sign-in carry it.
func clip(typed string) string {
	if len(typed) <= maxTyped {
		return typed
	}
	return strings.ToValidUTF8(typed[:maxTyped], "")
}

// find looks the code up. A wrong code counts for the address.
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

// waiting is the path with an interaction that returns to this page.
func (p *Page) waiting(path, typed string) (string, error) {
	return p.Interactions.URL(path, session.Interaction{
		Path: session.PathDevice, Params: url.Values{paramUserCode: {typed}},
	})
}

func (p *Page) signIn(w http.ResponseWriter, r *http.Request, typed string) error {
	target, err := p.waiting(session.PathLogin, typed)
	if err != nil {
		return err
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// ask shows the request of the device, for the account used last.
func (p *Page) ask(w http.ResponseWriter, r *http.Request, found Pending, typed string,
	current *session.Session) error {
	client, err := p.Clients.ByID(r.Context(), found.ClientID)
	if err != nil {
		return p.refuse(w, r, typed, err)
	}
	user, ok := p.Users.BySub(current.Accounts[0].Sub)
	if !ok {
		return oidc.InvalidRequest.Errorf("the user who is signed in is not known any more: sign out and in again")
	}
	another, err := p.waiting(session.PathSelectAccount, typed)
	if err != nil {
		return err
	}
	page := pages.Device{
		UserCode: formatted(typed), Account: pages.NewAccount(user), Another: another,
		Scopes: pages.DescribeScope(found.Scope, p.ScopeTexts),
	}
	page.Client = &client
	return p.render(w, r, http.StatusOK, page)
}

// refuse shows that the code is unknown, or returns any other error.
func (p *Page) refuse(w http.ResponseWriter, r *http.Request, typed string, err error) error {
	if errors.Is(err, ErrUnknown) || errors.Is(err, clients.ErrUnknown) {
		return p.render(w, r, http.StatusNotFound, pages.Device{UserCode: typed, Unknown: true})
	}
	return err
}

func (p *Page) render(w http.ResponseWriter, r *http.Request, status int, page pages.Device) error {
	client := page.Client
	page.Frame = p.Pages.Frame(r, p.Issuer)
	page.Client = client
	return p.Pages.Render(w, status, "device", page, pages.Policy{})
}
