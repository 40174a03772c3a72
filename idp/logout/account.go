package logout

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// PathAccount is the page that lists, and ends, a person's sessions and the access of apps.
const PathAccount = "/account"

// Account serves the page. A form changes only accounts that are signed in with the browser that sends it. Only /logout
// signs out of the browser itself, because it loads the iframes of the front channel.
type Account struct {
	Issuer     string
	Pages      *pages.Pages
	Clients    *clients.Register
	Users      *users.Directory
	Sessions   *session.Manager
	Consents   *grant.Consents
	Grants     *grant.Grants
	ScopeTexts map[string]string // of configured scopes
	Sender     *Sender
}

// Endpoints returns the page and its two forms.
func (a *Account) Endpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		pages.Route(http.MethodGet, "account", PathAccount, session.Serve(a.Sessions, a.show)),
		pages.Route(http.MethodPost, "account", PathAccount+"/sessions", session.Serve(a.Sessions, a.endSession)),
		pages.Route(http.MethodPost, "account", PathAccount+"/apps", session.Serve(a.Sessions, a.endApp)),
	}
}

// show is GET /account.
func (a *Account) show(w http.ResponseWriter, r *http.Request, current *session.Session) (err error) {
	page := pages.SignIns{Frame: a.Pages.Frame(r, a.Issuer), People: pages.Accounts(a.Users.BySubs(current.Subs()))}
	if page.Sessions, err = a.signIns(r.Context(), current); err != nil {
		return err
	}
	page.Others = slices.ContainsFunc(page.Sessions, func(s pages.SignIn) bool { return !s.This })
	for _, sub := range current.Subs() {
		access, err := a.access(r.Context(), sub)
		if err != nil {
			return err
		}
		page.Access = append(page.Access, access...)
	}
	return a.Pages.Render(w, http.StatusOK, page, pages.Policy{})
}

// others is the value of sid that means all sign-ins in other browsers.
const others = "others"

// endSession is POST /account/sessions with sid.
func (a *Account) endSession(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	signIns, err := a.signIns(r.Context(), current)
	if err != nil {
		return err
	}
	wanted := r.Form.Get("sid")
	for _, s := range signIns {
		if s.This || s.SID != wanted && wanted != others {
			continue
		}
		ended, err := a.Sessions.SignOutSID(r.Context(), s.SID)
		if err != nil {
			return err
		}
		a.Sender.Send(r.Context(), a.Issuer, ended)
	}
	return pages.Redirect(w, r, PathAccount)
}

// endApp is POST /account/apps with sub and client_id.
func (a *Account) endApp(w http.ResponseWriter, r *http.Request, current *session.Session) error {
	if account, ok := current.Account(r.Form.Get("sub")); ok {
		if err := a.Consents.Forget(r.Context(), account.Sub, r.Form.Get("client_id")); err != nil {
			return err
		}
	}
	return pages.Redirect(w, r, PathAccount)
}

// signIns lists the sign-ins, in all browsers, of the accounts in the current session: this browser first, then by last
// use. It omits the other accounts of those browsers.
func (a *Account) signIns(ctx context.Context, current *session.Session) ([]pages.SignIn, error) {
	var here, elsewhere []pages.SignIn
	for _, sub := range current.Subs() {
		sessions, err := a.Sessions.Of(ctx, sub)
		if err != nil {
			return nil, err
		}
		for _, s := range sessions {
			account, ok := s.Account(sub)
			signIn := pages.SignIn{
				Account: a.account(sub), SID: account.SID, Browser: s.Browser, Since: account.AuthTime,
				Seen: a.Sessions.Now().Sub(s.LastSeen),
				This: s.ID == current.ID,
			}
			switch {
			case !ok || !a.Sessions.Lasts(s):
			case signIn.This:
				here = append(here, signIn)
			default:
				elsewhere = append(elsewhere, signIn)
			}
		}
	}
	slices.SortStableFunc(elsewhere, func(a, b pages.SignIn) int { return cmp.Compare(a.Seen, b.Seen) })
	return append(here, elsewhere...), nil
}

// access lists the apps with access to the account of sub, by consent or by refresh tokens.
func (a *Account) access(ctx context.Context, sub string) ([]pages.Access, error) {
	consents, err := a.Consents.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	grants, err := a.Grants.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	byClient := map[string]pages.Access{}
	for id, consent := range consents {
		byClient[id] = pages.Access{Scopes: pages.DescribeScope(consent.Scope, a.ScopeTexts), Since: consent.GrantedAt}
	}
	for _, g := range grants {
		access, known := byClient[g.ClientID]
		if !known { // a first-party client, which needs no consent
			access.Scopes = pages.DescribeScope(g.Scope, a.ScopeTexts)
		}
		access.Lasting = true
		if g.UsedAt.After(access.Used) {
			access.Used = g.UsedAt
		}
		byClient[g.ClientID] = access
	}
	var list []pages.Access
	for _, id := range slices.Sorted(maps.Keys(byClient)) {
		access := byClient[id]
		access.Account = a.account(sub)
		client, err := a.Clients.ByID(ctx, id)
		if errors.Is(err, clients.ErrUnknown) { // the person can end the access of a deleted client too
			client, err = &oidc.Client{ClientID: id}, nil
		}
		if err != nil {
			return nil, err
		}
		access.Client = *client
		list = append(list, access)
	}
	return list, nil
}

func (a *Account) account(sub string) pages.Account {
	user, _ := a.Users.BySub(sub)
	user.Sub, user.Username = sub, cmp.Or(user.Username, sub)
	return pages.NewAccount(user)
}
