package account

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

func (e *Endpoint) fill(ctx context.Context, page *pages.SignIns, current *session.Session) (err error) {
	if page.Sessions, err = e.signIns(ctx, current); err != nil {
		return err
	}
	page.Others = slices.ContainsFunc(page.Sessions, func(s pages.SignIn) bool { return !s.This })
	for _, sub := range current.Subs() {
		access, err := e.access(ctx, sub)
		if err != nil {
			return err
		}
		page.Access = append(page.Access, access...)
	}
	return nil
}

// signIns are those of everybody in the current session, in whichever browser, this one first. Who else is signed in there is not
// theirs to know.
func (e *Endpoint) signIns(ctx context.Context, current *session.Session) (list []pages.SignIn, err error) {
	for _, sub := range current.Subs() {
		sessions, err := e.Sessions.Of(ctx, sub)
		if err != nil {
			return nil, err
		}
		for _, s := range sessions {
			if account, ok := s.Account(sub); ok && e.Sessions.Lasts(s) {
				list = append(list, pages.SignIn{
					Account: e.person(sub), SID: account.SID, Browser: s.Browser, This: s.ID == current.ID, Since: account.AuthTime, Seen: s.LastSeen,
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

// access is what apps may have of sub: what was allowed, and what they hold by refresh tokens.
func (e *Endpoint) access(ctx context.Context, sub string) ([]pages.Access, error) {
	consents, err := e.Consents.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	held, err := e.Grants.Of(ctx, sub)
	if err != nil {
		return nil, err
	}
	byClient := map[string]*pages.Access{}
	for id, consent := range consents {
		byClient[id] = &pages.Access{Scopes: pages.DescribeScope(consent.Scope, e.ScopeTexts), Since: consent.GrantedAt}
	}
	for _, h := range held {
		if byClient[h.ClientID] == nil { // a first-party client, which did not ask
			byClient[h.ClientID] = &pages.Access{Scopes: pages.DescribeScope(h.Scope, e.ScopeTexts)}
		}
		a := byClient[h.ClientID]
		a.Lasting = true
		if h.UsedAt.After(a.Used) {
			a.Used = h.UsedAt
		}
	}
	var list []pages.Access
	for _, id := range slices.Sorted(maps.Keys(byClient)) {
		a := byClient[id]
		a.Account = e.person(sub)
		if a.Client, err = e.client(ctx, id); err != nil {
			return nil, err
		}
		list = append(list, *a)
	}
	return list, nil
}

// client is what is known of it; one that is gone keeps its id, so that it can be ended all the same.
func (e *Endpoint) client(ctx context.Context, id string) (oidc.Client, error) {
	client, err := e.Clients.ByID(ctx, id)
	if errors.Is(err, clients.ErrUnknown) {
		return oidc.Client{ClientID: id}, nil
	}
	return client, err
}

func (e *Endpoint) person(sub string) pages.Account {
	user, _ := e.Users.BySub(sub)
	user.Sub, user.Username = sub, cmp.Or(user.Username, sub)
	return pages.NewAccount(user)
}
