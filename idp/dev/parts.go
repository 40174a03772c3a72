package dev

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Parts implements idp.DevelopmentSite. The failure lab wraps each part and the trace wraps the lab, so that the trace
// records the results that the protocol gets.
func (s *site) Parts() idp.Parts {
	return idp.Parts{
		Clients:   s.lab.Clients(s.Clients),
		Consents:  watchedConsents{s.lab.Consents(s.Consents)},
		Recognise: watchedSession{s.lab.Sessions(s.history), s.Sessions.Cookies},
		Sessions:  watchedSignIn{s.history},
		Grants:    watchedGrants{s.lab.Grants(s.Grants)},
		Signer:    watchedSign(s.lab.Sign(s.Signer, s.Keys)),
	}
}

// watchedSession tells whether /authorize recognised the browser, and by which of the two cookies.
type watchedSession struct {
	authorize.Sessions
	cookies session.Cookies
}

// Current implements authorize.Sessions.
func (w watchedSession) Current(r *http.Request) (*session.Session, error) {
	s, err := w.Sessions.Current(r)
	absence, absent := errors.AsType[session.Absence](err)
	if trace.From(r.Context()) == nil || err != nil && !absent {
		return s, err // the store failed or the lab returned an error: nothing was found out
	}
	step := trace.Step{Kind: trace.KindSession, Spec: "Core §3.1.2.3", Text: "the session cookie opens a session",
		Outcome: trace.OK}
	if arrived := w.cookies.Arrived(r); len(arrived) > 0 {
		step.Values = append(step.Values, trace.Plain("cookie", strings.Join(arrived, ", ")))
	}
	if absent {
		step.Text, step.Outcome, step.Reason = absence.Error(), trace.Failed, string(absence.Reason())
	}
	if s != nil {
		step.Values = append(step.Values, trace.Plain("sub", strings.Join(s.Subs(), ", ")),
			trace.Plain("auth_time", s.Accounts[0].AuthTime.UTC().Format(time.RFC3339)))
	}
	trace.Emit(r.Context(), step)
	return s, err
}

// watchedSignIn tells of sign-ins and sign-outs.
type watchedSignIn struct{ *session.CookieHistory }

// SignIn implements login.Sessions.
func (w watchedSignIn) SignIn(rw http.ResponseWriter, r *http.Request, account session.Account) (*session.Session,
	error) {
	s, err := w.CookieHistory.SignIn(rw, r, account)
	if err == nil {
		trace.Emit(r.Context(), trace.Step{Kind: trace.KindSignIn, Spec: "Core §3.1.2.3",
			Text: "the user signed in; the browser gets a new session cookie", Outcome: trace.OK,
			Values: []trace.Value{trace.Plain("sub", account.Sub), trace.Plain("acr", account.ACR),
				trace.Plain("amr", strings.Join(account.AMR, " "))}})
	}
	return s, err
}

// SignOut implements logout.Sessions.
func (w watchedSignIn) SignOut(rw http.ResponseWriter, r *http.Request) ([]session.Ended, error) {
	trace.Emit(r.Context(), trace.Step{Kind: trace.KindLogout, Spec: "RP-Initiated Logout §2",
		Text: "the session of this browser is ended; its cookies are removed", Outcome: trace.OK})
	return w.CookieHistory.SignOut(rw, r)
}

// SignOutSID implements logout.Sessions.
func (w watchedSignIn) SignOutSID(ctx context.Context, sid string) ([]session.Ended, error) {
	trace.Emit(ctx, trace.Step{Kind: trace.KindLogout, Spec: "RP-Initiated Logout §2",
		Text: "the account that the id_token_hint's sid names is signed out", Outcome: trace.OK})
	return w.CookieHistory.SignOutSID(ctx, sid)
}

// watchedConsents tells what the user allowed before.
type watchedConsents struct{ authorize.Consents }

// Of implements authorize.Consents.
func (w watchedConsents) Of(ctx context.Context, sub string) (map[string]grant.Consent, error) {
	consents, err := w.Consents.Of(ctx, sub)
	if recorder := trace.From(ctx); recorder != nil && err == nil {
		step := trace.Step{Kind: trace.KindConsent, Spec: "Core §3.1.2.4", Text: "what the user allowed before is read",
			Outcome: trace.Noted}
		for _, id := range slices.Sorted(maps.Keys(consents)) {
			step.Values = append(step.Values, trace.Plain(id, consents[id].Scope.String()))
		}
		recorder.Emit(step)
	}
	return consents, err
}

// codes is a *grant.Grants, or the failure lab before one.
type codes interface {
	authorize.Grants
	token.Grants
	Revoke(ctx context.Context, id string) error
}

// watchedGrants tells of codes, and joins the requests that a code joins.
type watchedGrants struct{ codes }

// Issue implements authorize.Grants.
func (w watchedGrants) Issue(ctx context.Context, granted grant.Grant) (string, error) {
	code, err := w.codes.Issue(ctx, granted)
	if recorder := trace.From(ctx); recorder != nil && err == nil {
		recorder.Join(trace.Code, code)
		recorder.Emit(trace.Step{Kind: trace.KindCode, Spec: "RFC 6749 §4.1.2",
			Text: "a code is issued, good for 60 seconds and one redemption", Outcome: trace.OK,
			Values: []trace.Value{trace.Secret("code", code), trace.Plain("sub", granted.Sub),
				trace.Plain("scope", granted.Scope.String())}})
	}
	return code, err
}

// Redeem implements token.Grants.
func (w watchedGrants) Redeem(ctx context.Context, code string, lifetime time.Duration) (grant.Grant, error) {
	granted, err := w.codes.Redeem(ctx, code, lifetime)
	recorder := trace.From(ctx)
	if recorder == nil {
		return granted, err
	}
	recorder.Join(trace.Code, code)
	step := trace.Step{Kind: trace.KindCode, Spec: "RFC 6749 §4.1.2",
		Text: "the code is spent before anything about it is judged", Outcome: trace.OK,
		Values: []trace.Value{trace.Secret("code", code)}}
	if err != nil {
		step.Text, step.Outcome = redemptionFailed(err), trace.Failed
	}
	recorder.Emit(step)
	return granted, err
}

// Begin implements token.Grants.
func (w watchedGrants) Begin(ctx context.Context, granted grant.Grant, jkt string, terms grant.Terms) (string, error) {
	token, err := w.codes.Begin(ctx, granted, jkt, terms)
	if recorder := trace.From(ctx); recorder != nil && err == nil {
		recorder.Emit(trace.Step{Kind: trace.KindCode, Spec: "Core §11",
			Text: "a refresh token is issued: the user allowed offline_access", Outcome: trace.OK,
			Values: []trace.Value{trace.Secret("refresh_token", token)}})
	}
	return token, err
}

// Family implements token.Grants.
func (w watchedGrants) Family(ctx context.Context, token string) (grant.Family, error) {
	family, err := w.codes.Family(ctx, token)
	recorder := trace.From(ctx)
	if recorder == nil {
		return family, err
	}
	step := trace.Step{Kind: trace.KindCode, Spec: "RFC 6749 §6", Text: "the refresh token is one of a family that lives",
		Outcome: trace.OK,
		Values:  []trace.Value{trace.Secret("refresh_token", token)}}
	if err != nil {
		step.Text, step.Outcome = refreshFailed(err), trace.Failed
	} else {
		step.Values = append(step.Values, trace.Plain("sub", family.Grant.Sub),
			trace.Plain("scope", family.Grant.Scope.String()))
	}
	recorder.Emit(step)
	return family, err
}

// Use implements token.Grants.
func (w watchedGrants) Use(ctx context.Context, token string, terms grant.Terms) (string, error) {
	next, err := w.codes.Use(ctx, token, terms)
	if recorder := trace.From(ctx); recorder != nil && err == nil && terms.Rotate {
		recorder.Emit(trace.Step{Kind: trace.KindCode, Spec: "RFC 9700 §4.14.2",
			Text: "the refresh token is replaced by a new one", Outcome: trace.OK,
			Values: []trace.Value{trace.Secret("refresh_token", next)}})
	}
	return next, err
}

func refreshFailed(err error) string {
	for _, known := range []struct {
		err  error
		text string
	}{
		{grant.ErrReplayed, "the refresh token was replaced before: everything that was granted is revoked"},
		{grant.ErrRevoked, "the refresh token is revoked"},
		{grant.ErrExpired, "the refresh token expired"},
		{grant.ErrUnknown, "the refresh token is not known"},
	} {
		if errors.Is(err, known.err) {
			return known.text
		}
	}
	return "the refresh token could not be looked up"
}

func redemptionFailed(err error) string {
	switch {
	case errors.Is(err, grant.ErrReplayed):
		return "the code was redeemed before: what it gave is revoked"
	case errors.Is(err, grant.ErrUnknown):
		return "the code is not known"
	}
	return "the code could not be looked up"
}

// watchedSign tells what was signed, and joins an access token to what will be done with it.
func watchedSign(next keys.Signer) keys.Signer {
	return keys.SignerFunc(func(ctx context.Context, alg, typ string, claims any) (string, error) {
		signed, err := next.Sign(ctx, alg, typ, claims)
		recorder := trace.From(ctx)
		if recorder == nil || err != nil {
			return signed, err
		}
		step := trace.Step{Kind: trace.KindToken, Spec: "Core §3.1.3.3", Text: "the ID token is signed", Outcome: trace.OK,
			Values: []trace.Value{trace.JWT("id_token", signed)}}
		if token, ok := claims.(access.Token); ok && typ == keys.TypeAccessToken {
			recorder.Join(trace.JTI, token.JTI)
			step.Spec, step.Text, step.Values[0] = "RFC 9068 §2", "the access token is signed", trace.JWT("access_token", signed)
			recorder.Set(func(record *trace.Record) { record.Answer = answerWith(token) })
		}
		recorder.Emit(step)
		return signed, nil
	})
}

// answerWith is what the answer of the token endpoint says about an access token besides the token itself.
func answerWith(token access.Token) []trace.Value {
	kind := oidc.TokenTypeBearer
	if token.Confirmation != nil {
		kind = oidc.TokenTypeDPoP
	}
	return []trace.Value{
		trace.Plain("token_type", kind), trace.Plain("expires_in", strconv.FormatInt(token.Expiry-token.IssuedAt, 10)),
		trace.Plain("scope", token.Scope),
	}
}
