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

// PathAccount is the page where a person sees and ends sessions and the access of apps.
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
	page := endpoint.Endpoint{
		Name: "account", Path: PathAccount, Methods: []string{http.MethodGet}, Audience: endpoint.People, Serve: a.show,
	}
	sessions, apps := page, page
	sessions.Path, sessions.Methods, sessions.Serve = PathAccount+"/sessions", []string{http.MethodPost}, a.endSession
	apps.Path, apps.Methods, apps.Serve = PathAccount+"/apps", []string{http.MethodPost}, a.endApp
	return []endpoint.Endpoint{page, sessions, apps}
}

// show is GET /account.
func (a *Account) show(w http.ResponseWriter, r *http.Request) error {
	current, err := session.OrNone(a.Sessions.Current(r))
	if err != nil {
		return err
	}
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
	return a.Pages.Render(w, http.StatusOK, "account", page, pages.Policy{})
}

// others is the value of sid that means all sign-ins in other browsers.
const others = "others"

// endSession is POST /account/sessions with sid.
func (a *Account) endSession(w http.ResponseWriter, r *http.Request) error {
	current, err := session.OrNone(a.Sessions.Current(r))
	if err != nil {
		return err
	}
	signIns, err := a.signIns(r.Context(), current)
	if err != nil {
		return err
	}
	for _, s := range signIns {
		if wanted := r.FormValue("sid"); s.This || s.SID != wanted && wanted != others {
			continue
		}
		ended, err := a.Sessions.SignOutSID(r.Context(), s.SID)
		if err != nil {
			return err
		}
		a.Sender.Send(r.Context(), a.Issuer, ended)
	}
	http.Redirect(w, r, PathAccount, http.StatusSeeOther)
	return nil
}

// endApp is POST /account/apps with sub and client_id.
func (a *Account) endApp(w http.ResponseWriter, r *http.Request) error {
	current, err := session.OrNone(a.Sessions.Current(r))
	if err != nil {
		return err
	}
	if account, ok := current.Account(r.FormValue("sub")); ok {
		if err := a.Consents.Forget(r.Context(), account.Sub, r.FormValue("client_id")); err != nil {
			return err
		}
	}
	http.Redirect(w, r, PathAccount, http.StatusSeeOther)
	return nil
}

// signIns lists the sign-ins, in all browsers, of the accounts in the current session: this browser first, then by last
// use. Other accounts that are signed in with those browsers stay hidden.
func (a *Account) signIns(ctx context.Context, current *session.Session) (list []pages.SignIn, err error) {
	for _, sub := range current.Subs() {
		sessions, err := a.Sessions.Of(ctx, sub)
		if err != nil {
			return nil, err
		}
		for _, s := range sessions {
			if account, ok := s.Account(sub); ok && a.Sessions.Lasts(s) {
				list = append(list, pages.SignIn{
					Account: a.account(sub), SID: account.SID, Browser: s.Browser, This: s.ID == current.ID,
					Since: account.AuthTime, Seen: s.LastSeen,
				})
			}
		}
	}
	slices.SortStableFunc(list, func(a, b pages.SignIn) int {
		if a.This != b.This {
			return map[bool]int{true: -1, false: 1}[a.This]
		}
		return b.Seen.Compare(a.Seen)
	})
	return list, nil
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
	byClient := map[string]*pages.Access{}
	for id, consent := range consents {
		byClient[id] = &pages.Access{Scopes: pages.DescribeScope(consent.Scope, a.ScopeTexts), Since: consent.GrantedAt}
	}
	for _, g := range grants {
		if byClient[g.ClientID] == nil { // a first-party client, which needs no consent
			byClient[g.ClientID] = &pages.Access{Scopes: pages.DescribeScope(g.Scope, a.ScopeTexts)}
		}
		access := byClient[g.ClientID]
		access.Lasting = true
		if g.UsedAt.After(access.Used) {
			access.Used = g.UsedAt
		}
	}
	var list []pages.Access
	for _, id := range slices.Sorted(maps.Keys(byClient)) {
		access := byClient[id]
		access.Account = a.account(sub)
		access.Client, err = a.Clients.ByID(ctx, id)
		if errors.Is(err, clients.ErrUnknown) { // the person can end the access of a deleted client too
			access.Client, err = oidc.Client{ClientID: id}, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, *access)
	}
	return list, nil
}

func (a *Account) account(sub string) pages.Account {
	user, _ := a.Users.BySub(sub)
	user.Sub, user.Username = sub, cmp.Or(user.Username, sub)
	return pages.NewAccount(user)
}
