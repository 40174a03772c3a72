package lab

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Sessions finds the session of a request, like session.Manager.
type Sessions interface {
	Current(r *http.Request) (*session.Session, error)
}

// Clients finds a client, like clients.Register.
type Clients interface {
	ByID(ctx context.Context, id string) (oidc.Client, error)
}

// Consents finds the consents of a user by client_id, like grant.Consents.
type Consents interface {
	Of(ctx context.Context, sub string) (map[string]grant.Consent, error)
}

// Grants issues and redeems codes and refresh tokens, like grant.Grants.
type Grants interface {
	Issue(ctx context.Context, granted grant.Grant) (code string, err error)
	Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (grant.Grant, error)
	Begin(ctx context.Context, granted grant.Grant, jkt string, terms grant.Terms) (refreshToken string, err error)
	Family(ctx context.Context, refreshToken string) (grant.Family, error)
	Use(ctx context.Context, refreshToken string, terms grant.Terms) (next string, err error)
	Revoke(ctx context.Context, id string) error
}

// Sessions returns next with the faults of sessions and cookies, and with the OAuth errors of the authorization
// endpoint, which asks for the session after it has verified where an error may go.
func (l *Lab) Sessions(next Sessions) Sessions {
	if l == nil {
		return next
	}
	return sessions{l, next}
}

type sessions struct {
	lab  *Lab
	next Sessions
}

// Current implements Sessions.
func (s sessions) Current(r *http.Request) (*session.Session, error) {
	if f, ok := s.lab.use(r.Context(), Error); ok {
		return nil, f.oauthError()
	}
	if _, ok := s.lab.use(r.Context(), CookieSameSiteLax); ok {
		return nil, overlook(r, session.LaxOnly)
	}
	if _, ok := s.lab.use(r.Context(), ThirdPartyCookieIgnored); ok {
		return nil, overlook(r, session.Withheld)
	}
	found, err := s.next.Current(r)
	if err != nil {
		return found, err
	}
	f, ok := s.lab.use(r.Context(), SessionLost, SessionExpired, SessionOtherUser)
	switch {
	case !ok:
		return found, nil
	case f.Fault == SessionLost:
		return nil, session.Unknown
	case f.Fault == SessionExpired:
		return nil, session.Expired
	}
	return s.lab.asOtherUser(*found, f.User), nil
}

// overlook tells the trace that the cookies that came do not count.
func overlook(r *http.Request, as session.Absence) error {
	trace.From(r.Context()).Set(func(record *trace.Record) { record.Overlooked = true })
	return as
}

// somebodyElse is the other user where the provider has only one.
const somebodyElse = "somebody-else"

// asOtherUser is the session as it would be if sub had signed in, and nobody else. The account's sid is one that no
// logout knows.
func (l *Lab) asOtherUser(s session.Session, sub string) *session.Session {
	if sub == "" {
		sub = l.userBeside(s)
	}
	account := s.Accounts[0]
	account.Sub, account.SID = sub, s.ID+".lab"
	s.Accounts = []session.Account{account}
	return &s
}

func (l *Lab) userBeside(s session.Session) string {
	for _, sub := range l.Users {
		if !slices.Contains(s.Subs(), sub) {
			return sub
		}
	}
	return somebodyElse
}

// Clients returns next with the faults of what is registered. Looking a client up counts as no use: what makes tokens
// counts short_lifetime, and what reads consents counts consent_withdrawn. So of requests at the same time more than
// Times may see the change.
func (l *Lab) Clients(next Clients) Clients {
	if l == nil {
		return next
	}
	return registered{l, next}
}

type registered struct {
	lab  *Lab
	next Clients
}

// ByID implements Clients.
func (c registered) ByID(ctx context.Context, id string) (oidc.Client, error) {
	client, err := c.next.ByID(ctx, id)
	if f, short := c.lab.peek(id, ShortLifetime); short {
		client.AccessTokenLifetime = f.Lifetime
	}
	if _, withdrawn := c.lab.peek(id, ConsentWithdrawn); withdrawn {
		client.FirstParty = false
	}
	return client, err
}

// Consents returns next with consent_withdrawn.
func (l *Lab) Consents(next Consents) Consents {
	if l == nil {
		return next
	}
	return consents{l, next}
}

type consents struct {
	lab  *Lab
	next Consents
}

// Of implements Consents.
func (c consents) Of(ctx context.Context, sub string) (map[string]grant.Consent, error) {
	if _, ok := c.lab.use(ctx, ConsentWithdrawn); ok {
		return nil, nil
	}
	return c.next.Of(ctx, sub)
}

// Grants returns next with code_spent and refresh_revoked.
func (l *Lab) Grants(next Grants) Grants {
	if l == nil {
		return next
	}
	return grants{l, next}
}

type grants struct {
	lab *Lab
	Grants
}

// Redeem implements Grants. A code that was spent is one that was redeemed before: so it is.
func (g grants) Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (grant.Grant, error) {
	if _, ok := g.lab.use(ctx, CodeSpent); ok {
		if _, err := g.Grants.Redeem(ctx, code, tokenLifetime); err != nil {
			return grant.Grant{}, err
		}
	}
	return g.Grants.Redeem(ctx, code, tokenLifetime)
}

// Family implements Grants. A refresh token that was revoked is one whose grant was: so it is. What is no refresh token
// of ours, such as one that a test made up, is refused in the same words.
func (g grants) Family(ctx context.Context, refreshToken string) (grant.Family, error) {
	if _, ok := g.lab.use(ctx, RefreshRevoked); !ok {
		return g.Grants.Family(ctx, refreshToken)
	}
	family, err := g.Grants.Family(ctx, refreshToken)
	if err == nil {
		err = g.Revoke(ctx, family.Grant.ID)
	}
	if err == nil || errors.Is(err, grant.ErrUnknown) {
		err = grant.ErrRevoked
	}
	return family, err
}
