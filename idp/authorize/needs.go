package authorize

import (
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Need is a reason why a person must see a page before there can be a code. Needs stand in the order in which they are
// judged; under prompt=none the first that arises is the answer.
type Need struct {
	Spec, Text string
	Arises     func(s Situation) bool
	Screen     string         // the path of the page
	Else       oidc.ErrorCode // the answer under prompt=none
	Reason     oidc.Reason    // why, by its stable code; of an absent session its Absence knows better
	Params     []string       // the parameters that it is about, for the trace
	Tell       string         // what the page tells the person, by its key below tell in static/idp/languages; empty where the page explains itself
	// Vain tells whether no page would help, so that Else is the answer anyhow; nil: the page always does.
	Vain func(s Situation) bool
}

// Situation is a well-formed request beside what the provider knows about the person.
type Situation struct {
	Request
	Session *session.Session // nil: nobody is signed in
	Account *session.Account // whom the request is about; nil while that is open
	Hinted  string           // the sub that login_hint names, if it names a user of ours
	Consent grant.Consent    // what the account allowed the client before
	Levels  Levels           // what values acr has here
	Now     time.Time
}

var needs = []Need{
	{
		Spec: "Core §3.1.2.3", Text: "nobody is signed in",
		Arises: func(s Situation) bool { return s.Session == nil },
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.SessionNone,
	},
	{
		Spec: "Core §3.1.2.1 id_token_hint", Text: "the id_token_hint is no ID token of this provider: changed, from elsewhere, or from before a restart",
		Params: []string{"id_token_hint"},
		Arises: func(s Situation) bool { return s.IDTokenHint != "" && s.HintedSub == "" && !s.chosen() },
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.HintUnreadable,
		Tell: "hint_unreadable",
	},
	{
		Spec: "Core §3.1.2.1 id_token_hint", Text: "the user of the id_token_hint is not signed in",
		Params: []string{"id_token_hint"},
		Arises: func(s Situation) bool { return s.boundTo() != "" && !s.signedIn(s.boundTo()) },
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
		Tell: "hinted_absent",
	},
	{
		Spec: "Core §3.1.2.1 login_hint", Text: "the user of the login_hint is not signed in",
		Params: []string{"login_hint"},
		Arises: func(s Situation) bool {
			return s.boundTo() == "" && s.Hinted != "" && !s.signedIn(s.Hinted) && !s.chosen()
		},
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
		Tell: "named_absent",
	},
	{
		Spec: "Core §3.1.2.1 prompt", Text: "the application asks to choose an account",
		Params: []string{"prompt"},
		Arises: func(s Situation) bool { return s.Prompt.Has(oidc.PromptSelectAccount) && !s.chosen() },
		Screen: session.PathSelectAccount, Else: oidc.AccountSelectionRequired, Reason: oidc.AccountAmbiguous,
	},
	{
		Spec: "Core §3.1.2.6", Text: "several accounts are signed in and the request names none of them (by id_token_hint or login_hint)",
		Params: []string{"id_token_hint", "login_hint"},
		Arises: func(s Situation) bool { return s.Account == nil },
		Screen: session.PathSelectAccount, Else: oidc.AccountSelectionRequired, Reason: oidc.AccountAmbiguous,
	},
	{
		Spec: "Core §3.1.2.1 prompt", Text: "the application asks to sign in again",
		Params: []string{"prompt"},
		Arises: func(s Situation) bool {
			return s.Prompt.Has(oidc.PromptLogin) && !s.justNow(s.Account.AuthTime)
		},
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.SessionTooOld,
		Tell: "again",
	},
	{
		Spec: "Core §3.1.2.1 max_age", Text: "the sign-in is older than max_age",
		Params: []string{"max_age"},
		Arises: func(s Situation) bool { return s.tooOld() },
		Screen: session.PathLogin, Else: oidc.LoginRequired, Reason: oidc.SessionTooOld,
		Tell: "too_old",
	},
	{
		Spec: "Core §5.5.1.1", Text: "the sign-in reaches none of the acr values that are essential",
		Params: []string{"claims"},
		Arises: func(s Situation) bool { return s.lacksACR() },
		Screen: session.PathLogin, Else: oidc.UnmetAuthenticationRequirements, Reason: oidc.ACRUnmet,
		Tell: "stronger",
		Vain: func(s Situation) bool { return s.cannotReachACR() },
	},
	{
		Spec: "Core §3.1.2.4", Text: "the user has not allowed this client what it asks for",
		Params: []string{"scope"},
		Arises: func(s Situation) bool { return !s.Client.FirstParty && !s.Consent.Scope.Covers(s.toAllow()) },
		Screen: session.PathConsent, Else: oidc.ConsentRequired, Reason: oidc.ConsentMissing,
	},
	{
		Spec: "Core §3.1.2.1 prompt", Text: "the application asks for consent again",
		Params: []string{"prompt"},
		Arises: func(s Situation) bool {
			return s.Prompt.Has(oidc.PromptConsent) && !s.justNow(s.Consent.GrantedAt)
		},
		Screen: session.PathConsent, Else: oidc.ConsentRequired, Reason: oidc.ConsentMissing,
	},
}

// toAllow is what the user is asked to allow.
func (s Situation) toAllow() oidc.Scope {
	return oidc.ParseScope(s.Scope.String() + " " + s.ClaimsScope.String())
}

// mayStayOffline tells whether offline_access was allowed, or can be now. Core §11: the provider "MUST ignore the offline_access
// request" unless "the prompt parameter contains consent" or "other conditions for processing the request permitting offline
// access to the requested resources are in place". Here they are: a first-party client that is registered for refresh tokens, for
// which the house has decided; and for any other that the user allowed offline_access itself, before or on the page to come.
func (s Situation) mayStayOffline() bool {
	return s.Client.FirstParty || s.Consent.Scope.Has(oidc.ScopeOffline) || !s.Prompt.Has(oidc.PromptNone)
}

// about says whom the request is about: the account that the user chose or signed in to since the request began, else
// the one a hint names, else the only one there is. An id_token_hint binds: no other account will do.
func about(r Request, s *session.Session, loginHint string, now time.Time) *session.Account {
	if s == nil {
		return nil
	}
	for _, account := range s.Accounts {
		switch {
		case r.boundTo() != "" && account.Sub != r.boundTo():
			continue
		case r.boundTo() != "", fulfils(r, account.SelectedAt, now), account.Sub == loginHint, len(s.Accounts) == 1:
			return &account
		}
	}
	return nil
}

func (s Situation) signedIn(sub string) bool {
	return slices.ContainsFunc(s.Session.Accounts, func(a session.Account) bool { return a.Sub == sub })
}

// fulfilledFor is how long something that the user did counts as done for the request: enough for the pages that follow, and
// too short for who finds the request in the browser's history.
const fulfilledFor = 10 * time.Minute

// fulfils tells whether what happened at that time was done for this very request.
func fulfils(r Request, at, now time.Time) bool {
	return !at.Before(r.StartedAt) && now.Sub(at) <= fulfilledFor
}

// justNow tells whether what happened at that time was done for this very request.
func (s Situation) justNow(at time.Time) bool { return fulfils(s.Request, at, s.Now) }

// chosen tells whether the user signed in or chose an account for this request.
func (s Situation) chosen() bool { return s.Account != nil && s.justNow(s.Account.SelectedAt) }

// tooOld tells whether the sign-in is older than max_age, unless it was made for this very request: max_age=0 asks for a
// new sign-in and gets it once.
func (s Situation) tooOld() bool {
	return s.MaxAge != nil && !s.justNow(s.Account.AuthTime) && s.Now.Sub(s.Account.AuthTime) > *s.MaxAge
}
