package dev

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Parts implements idp.DevelopmentSite. Each decorator causes the faults of its part, and records the result that the
// protocol gets.
func (s *site) Parts() idp.Parts {
	return idp.Parts{
		Clients: labClients{s.Clients, s.lab}, Consents: labConsents{s.Consents, s.lab},
		Recognise: labSessions{s.history, s.lab, s.Users}, Sessions: signIns{s.history},
		Grants: labGrants{s.Grants, s.lab}, Signer: labSigner{s.Signer, s.Keys, s.lab},
		Devices: watchedDevices{s.Devices},
	}
}

// emit records a step of the protocol that succeeded.
func emit(ctx context.Context, kind trace.Kind, spec, text string, values ...trace.Value) {
	trace.Emit(ctx, trace.Step{Kind: kind, Spec: spec, Text: text, Outcome: trace.OK, Values: values})
}

// watchedDevices records how device codes are redeemed.
type watchedDevices struct{ *device.Devices }

// Redeem implements token.Devices.
func (d watchedDevices) Redeem(ctx context.Context, client *oidc.Client, code string) (grant.Grant, error) {
	granted, err := d.Devices.Redeem(ctx, client, code)
	if err == nil {
		emit(ctx, trace.KindCode, "RFC 8628 §3.4", "the user allowed the device its request",
			trace.Secret("device_code", code), trace.Plain("sub", granted.Sub), trace.Plain("scope", granted.Scope.String()))
		return granted, nil
	}
	e := oidc.AsError(err)
	trace.Emit(ctx, trace.Step{Kind: trace.KindCode, Spec: "RFC 8628 §3.5", Text: e.Description, Outcome: trace.Failed,
		Reason: string(e.Reason), Values: []trace.Value{trace.Secret("device_code", code)}})
	return granted, err
}

// labClients has the faults of registered clients.
type labClients struct {
	*clients.Register
	lab *lab.Lab
}

// ByID implements authorize.Clients.
func (c labClients) ByID(ctx context.Context, id string) (*oidc.Client, error) {
	client, err := c.Register.ByID(ctx, id)
	return c.lab.Client(client, id), err
}

// labConsents has the fault consent_withdrawn, and records the consents of a user.
type labConsents struct {
	*grant.Consents
	lab *lab.Lab
}

// Of implements authorize.Consents.
func (c labConsents) Of(ctx context.Context, sub string) (consents map[string]grant.Consent, err error) {
	if _, withdrawn := c.lab.Use(ctx, lab.ConsentWithdrawn); !withdrawn {
		consents, err = c.Consents.Of(ctx, sub)
	}
	if err != nil {
		return nil, err
	}
	step := trace.Step{Kind: trace.KindConsent, Spec: "Core §3.1.2.4", Text: "what the user allowed before is read",
		Outcome: trace.Noted}
	for _, id := range slices.Sorted(maps.Keys(consents)) {
		step.Values = append(step.Values, trace.Plain(id, consents[id].Scope.String()))
	}
	trace.Emit(ctx, step)
	return consents, nil
}

// labSessions has the faults of sessions and cookies, and the OAuth errors of the authorization endpoint: that endpoint
// reads the session after it has verified the redirect_uri. It records whether /authorize recognised the browser, and
// by which of the two cookies.
type labSessions struct {
	*session.CookieHistory
	lab   *lab.Lab
	users *users.Directory
}

// Current implements authorize.Sessions.
func (s labSessions) Current(r *http.Request) (*session.Session, error) {
	found, err := s.failing(r)
	absence, absent := errors.AsType[session.Absence](err)
	if err != nil && !absent {
		return found, err // the store failed, or the lab returned an error: nothing is known about the session
	}
	step := trace.Step{Kind: trace.KindSession, Spec: "Core §3.1.2.3", Text: "the session cookie opens a session",
		Outcome: trace.OK}
	if arrived := s.Cookies.Arrived(r); len(arrived) > 0 {
		step.Values = append(step.Values, trace.Plain("cookie", strings.Join(arrived, ", ")))
	}
	if absent {
		step.Text, step.Outcome, step.Reason = absence.Error(), trace.Failed, string(absence.Reason())
	}
	if found != nil {
		trace.From(r.Context()).InSession(found.ID)
		step.Values = append(step.Values, trace.Plain("sub", strings.Join(found.Subs(), ", ")),
			trace.Plain("auth_time", found.Accounts[0].AuthTime.UTC().Format(time.RFC3339)))
	}
	trace.Emit(r.Context(), step)
	return found, err
}

// failing finds the session, unless a fault gives another result.
func (s labSessions) failing(r *http.Request) (*session.Session, error) {
	ctx := r.Context()
	if f, ok := s.lab.Use(ctx, lab.Error); ok {
		return nil, f.OAuthError()
	}
	if f, ok := s.lab.Use(ctx, lab.CookieSameSiteLax, lab.ThirdPartyCookieIgnored); ok {
		trace.From(ctx).Set(func(record *trace.Record) { record.Overlooked = true })
		if f.Fault == lab.CookieSameSiteLax {
			return nil, session.LaxOnly
		}
		return nil, session.Withheld
	}
	found, err := s.CookieHistory.Current(r)
	if err != nil {
		return found, err
	}
	switch f, _ := s.lab.Use(ctx, lab.SessionLost, lab.SessionExpired, lab.SessionOtherUser); f.Fault {
	case lab.SessionLost:
		return nil, session.Unknown
	case lab.SessionExpired:
		return nil, session.Expired
	case lab.SessionOtherUser:
		return lab.OtherUser(*found, f.User, s.users.All()), nil
	}
	return found, nil
}

// signIns records sign-ins and sign-outs.
type signIns struct{ *session.CookieHistory }

// SignIn implements login.Sessions.
func (s signIns) SignIn(w http.ResponseWriter, r *http.Request, a session.Account) (*session.Session, error) {
	signedIn, err := s.CookieHistory.SignIn(w, r, a)
	if err == nil {
		emit(r.Context(), trace.KindSignIn, "Core §3.1.2.3", "the user signed in; the browser gets a new session cookie",
			trace.Plain("sub", a.Sub), trace.Plain("acr", a.ACR), trace.Plain("amr", strings.Join(a.AMR, " ")))
	}
	return signedIn, err
}

// SignOut implements logout.Sessions.
func (s signIns) SignOut(w http.ResponseWriter, r *http.Request) ([]session.Ended, error) {
	emit(r.Context(), trace.KindLogout, "RP-Initiated Logout §2",
		"the session of this browser is ended; its cookies are removed")
	return s.CookieHistory.SignOut(w, r)
}

// SignOutSID implements logout.Sessions.
func (s signIns) SignOutSID(ctx context.Context, sid string) ([]session.Ended, error) {
	emit(ctx, trace.KindLogout, "RP-Initiated Logout §2", "the account that the id_token_hint's sid names is signed out")
	return s.CookieHistory.SignOutSID(ctx, sid)
}

// labGrants has the faults code_spent and refresh_revoked. It records codes and refresh tokens, and joins the requests
// of one code.
type labGrants struct {
	*grant.Grants
	lab *lab.Lab
}

// Issue implements authorize.Grants.
func (g labGrants) Issue(ctx context.Context, granted grant.Grant) (string, error) {
	code, err := g.Grants.Issue(ctx, granted)
	if err == nil {
		trace.From(ctx).Join(trace.Code, code)
		text := fmt.Sprintf("a code is issued, good for %.0f seconds and one redemption", g.CodeLifetime.Seconds())
		emit(ctx, trace.KindCode, "RFC 6749 §4.1.2", text,
			trace.Secret("code", code), trace.Plain("sub", granted.Sub), trace.Plain("scope", granted.Scope.String()))
	}
	return code, err
}

// Redeem implements token.Grants. The fault code_spent redeems a good code twice.
func (g labGrants) Redeem(ctx context.Context, code string, lifetime time.Duration) (grant.Grant, error) {
	granted, err := g.Grants.Redeem(ctx, code, lifetime)
	if err == nil && g.Now().Before(granted.ExpiresAt) {
		if _, spent := g.lab.Use(ctx, lab.CodeSpent); spent {
			granted, err = g.Grants.Redeem(ctx, code, lifetime)
		}
	}
	trace.From(ctx).Join(trace.Code, code)
	text := "the code is marked as used before it is checked"
	if err == nil && !g.Now().Before(granted.ExpiresAt.Add(grant.ClockError)) {
		text = "the code can be decrypted, and has expired too long ago for a mark"
	}
	emitUse(ctx, err, "the code", "redeemed", trace.Step{Spec: "RFC 6749 §4.1.2", Text: text,
		Values: []trace.Value{trace.Secret("code", code)}})
	return granted, err
}

// Begin implements token.Grants.
func (g labGrants) Begin(ctx context.Context, granted grant.Grant, jkt string, terms grant.Terms) (string, error) {
	token, err := g.Grants.Begin(ctx, granted, jkt, terms)
	if err == nil {
		emit(ctx, trace.KindCode, "Core §11", "a refresh token is issued: the user allowed offline_access",
			trace.Secret("refresh_token", token))
	}
	return token, err
}

// Family implements token.Grants. The fault refresh_revoked revokes the grant; the error for an unknown refresh token,
// such as a token made up by a test, has the same text.
func (g labGrants) Family(ctx context.Context, token string) (grant.Family, error) {
	family, err := g.Grants.Family(ctx, token)
	if _, revoked := g.lab.Use(ctx, lab.RefreshRevoked); revoked {
		if err == nil {
			err = g.Revoke(ctx, family.Grant.ID)
		}
		if err == nil || errors.Is(err, grant.ErrUnknown) {
			err = grant.ErrRevoked
		}
	}
	step := trace.Step{Spec: "RFC 6749 §6", Text: "the refresh token is one of a family that lives",
		Values: []trace.Value{trace.Secret("refresh_token", token)}}
	if err == nil {
		sessionID, _, _ := strings.Cut(family.Grant.SID, ".") // a sid begins with the session's id
		trace.From(ctx).InSession(sessionID)
		step.Values = append(step.Values, trace.Plain("sub", family.Grant.Sub),
			trace.Plain("scope", family.Grant.Scope.String()))
	}
	emitUse(ctx, err, "the refresh token", "replaced", step)
	return family, err
}

// Use implements token.Grants.
func (g labGrants) Use(ctx context.Context, token string, terms grant.Terms) (string, error) {
	next, err := g.Grants.Use(ctx, token, terms)
	if err == nil && terms.Rotate {
		emit(ctx, trace.KindCode, "RFC 9700 §4.14.2", "the refresh token is replaced by a new one",
			trace.Secret("refresh_token", next))
	}
	return next, err
}

// emitUse records that a code or a refresh token was used, or why it was refused.
func emitUse(ctx context.Context, err error, what, used string, step trace.Step) {
	step.Kind, step.Outcome = trace.KindCode, trace.Failed
	switch {
	case err == nil:
		step.Outcome = trace.OK
	case errors.Is(err, grant.ErrReplayed):
		step.Text = what + " was " + used + " before: everything that was granted is revoked"
	case errors.Is(err, grant.ErrRevoked):
		step.Text = what + " is revoked"
	case errors.Is(err, grant.ErrExpired):
		step.Text = what + " expired"
	case errors.Is(err, grant.ErrUnknown):
		step.Text = what + " is not known"
	default:
		step.Text = what + " could not be looked up"
	}
	trace.Emit(ctx, step)
}

// labSigner has the faults of tokens. It records signed tokens, and joins the later requests with an access token.
type labSigner struct {
	keys.Signer
	published *keys.KeySet
	lab       *lab.Lab
}

// Sign implements keys.Signer.
func (s labSigner) Sign(ctx context.Context, alg, typ string, claims any) (string, error) {
	signed, err := s.lab.Sign(ctx, s.Signer, s.published, alg, typ, claims)
	if err != nil {
		return "", err
	}
	if token, ok := access.From(claims); ok {
		trace.From(ctx).Join(trace.JTI, token.JTI)
		trace.From(ctx).Set(func(record *trace.Record) { record.Answer = answerWith(token) })
		emit(ctx, trace.KindToken, "RFC 9068 §2", "the access token is signed", trace.JWT("access_token", signed))
	} else {
		emit(ctx, trace.KindToken, "Core §3.1.3.3", "the ID token is signed", trace.JWT("id_token", signed))
	}
	return signed, nil
}

// answerWith is the part of the token endpoint's answer that describes an access token.
func answerWith(token access.Token) []trace.Value {
	kind := oidc.TokenTypeBearer
	if token.Confirmation != nil {
		kind = oidc.TokenTypeDPoP
	}
	lifetime := strconv.FormatInt(token.Expiry-token.IssuedAt, 10)
	return []trace.Value{
		trace.Plain("token_type", kind), trace.Plain("expires_in", lifetime), trace.Plain("scope", token.Scope),
	}
}
