package authorize

import (
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// Situation is a well-formed request, and the data of the provider about the user.
type Situation struct {
	*Request
	Session *session.Session // nil: nobody is signed in
	Absence session.Absence  // why there is no session
	Account *session.Account // the account of the request; nil: undecided
	Hinted  string           // the sub of the account that login_hint names, if it is signed in
	Consent grant.Consent    // the account's earlier consent for the client
	Issuer  string
	Levels  Levels // the possible values of acr
	Now     time.Time
}

// needs are the conditions for a code without a page. The error code of the first broken need selects the page (see
// screens); with prompt=none it is the answer.
var needs = oidc.Table[*Situation]{{
	Spec: "Core §3.1.2.3", Text: "a user is signed in", Else: oidc.LoginRequired, Reason: oidc.SessionNone,
	Holds: func(s *Situation) bool { return s.Session != nil },
	Got:   func(s *Situation) string { return "nobody: " + s.Absence.Between(s.RedirectURI, s.Issuer) },
}, {
	Spec: "Core §3.1.2.1 id_token_hint", Text: "id_token_hint is an ID token of this provider",
	Params: []string{"id_token_hint"}, Else: oidc.LoginRequired, Reason: oidc.HintUnreadable,
	Holds: func(s *Situation) bool { return s.IDTokenHint == "" || s.HintedSub != "" || s.chosen() },
	Help:  "the token was changed, is from another provider, or from before a restart",
}, {
	Spec: "Core §3.1.2.1 id_token_hint", Text: "the user of id_token_hint is signed in",
	Params: []string{"id_token_hint"}, Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
	Holds: func(s *Situation) bool { return s.boundTo() == "" || s.signedIn(s.boundTo()) },
}, {
	Spec: "Core §3.1.2.1 login_hint", Text: "the user of login_hint is signed in", Params: []string{"login_hint"},
	Else: oidc.LoginRequired, Reason: oidc.SessionOtherUser,
	Holds: func(s *Situation) bool {
		return s.boundTo() != "" || s.LoginHint == "" || s.Hinted != "" || s.chosen()
	},
}, {
	Spec: "Core §3.1.2.1 prompt", Text: "the user chose an account, if prompt has select_account",
	Params: []string{"prompt"}, Else: oidc.AccountSelectionRequired, Reason: oidc.AccountAmbiguous,
	Holds: func(s *Situation) bool { return !s.Prompt.Has(oidc.PromptSelectAccount) || s.chosen() },
}, {
	Spec: "Core §3.1.2.6", Text: "one account is signed in, or the request names one by id_token_hint or login_hint",
	Params: []string{"id_token_hint", "login_hint"}, Else: oidc.AccountSelectionRequired, Reason: oidc.AccountAmbiguous,
	Holds: func(s *Situation) bool { return s.Account != nil },
}, {
	Spec: "Core §3.1.2.1 prompt", Text: "the user signed in for this request, if prompt has login",
	Params: []string{"prompt"}, Else: oidc.LoginRequired, Reason: oidc.SessionTooOld,
	Holds: func(s *Situation) bool { return !s.Prompt.Has(oidc.PromptLogin) || s.justNow(s.Account.AuthTime) },
}, {
	Spec: "Core §3.1.2.1 max_age", Text: "the sign-in is not older than max_age", Else: oidc.LoginRequired,
	Reason: oidc.SessionTooOld, Params: []string{"max_age"},
	Holds: func(s *Situation) bool {
		// max_age=0 demands a new sign-in: a sign-in for this request is not too old.
		return s.MaxAge == nil || s.justNow(s.Account.AuthTime) || isWithin(*s.MaxAge, s.Account.AuthTime, s.Now)
	},
}, {
	Spec: "Core §5.5.1.1", Text: "the sign-in reaches one of the essential acr values", Params: []string{"claims"},
	Else: oidc.UnmetAuthenticationRequirements, Reason: oidc.ACRUnmet,
	Holds: func(s *Situation) bool { return s.EssentialACR == nil || slices.Contains(s.EssentialACR, s.acr()) },
}, {
	Spec: "Core §3.1.2.4", Text: "the user has allowed the client everything that it asks for",
	Params: []string{"scope"}, Else: oidc.ConsentRequired, Reason: oidc.ConsentMissing,
	Holds: func(s *Situation) bool { return s.Client.FirstParty || s.Consent.Scope.Covers(s.toAllow()) },
}, {
	Spec: "Core §3.1.2.1 prompt", Text: "the user gave consent for this request, if prompt has consent",
	Params: []string{"prompt"}, Else: oidc.ConsentRequired, Reason: oidc.ConsentMissing,
	Holds: func(s *Situation) bool { return !s.Prompt.Has(oidc.PromptConsent) || s.justNow(s.Consent.GrantedAt) },
}}

// screens are the paths of the pages that meet a need, by its error code.
var screens = map[oidc.ErrorCode]string{
	oidc.LoginRequired:                   session.PathLogin,
	oidc.AccountSelectionRequired:        session.PathSelectAccount,
	oidc.UnmetAuthenticationRequirements: session.PathLogin,
	oidc.ConsentRequired:                 session.PathConsent,
}

// tells has, by the text of a need, the key of the sign-in page's text about it, below tell in static/idp/languages.
var tells = map[string]string{
	"id_token_hint is an ID token of this provider":            "hint_unreadable",
	"the user of id_token_hint is signed in":                   "hinted_absent",
	"the user of login_hint is signed in":                      "named_absent",
	"the user signed in for this request, if prompt has login": "again",
	"the sign-in is not older than max_age":                    "too_old",
	"the sign-in reaches one of the essential acr values":      "stronger",
}

// toAllow returns the scope that the user is asked to allow.
func (s *Situation) toAllow() oidc.Scope {
	return oidc.ParseScope(s.Scope.String() + " " + s.ClaimsScope.String())
}

// mayStayOffline tells whether offline_access is allowed, or can be on the consent page (Core §11). The operator allows
// it for first-party clients that are registered for refresh tokens, the user for all others.
func (s *Situation) mayStayOffline() bool {
	return s.Client.FirstParty || s.Consent.Scope.Has(oidc.ScopeOffline) || !s.Prompt.Has(oidc.PromptNone)
}

// about returns the account of the request: the account that the user chose or signed in to for it, or else the account
// of a hint, or else the only account of the session. An id_token_hint excludes all other accounts.
func about(r *Request, s *session.Session, loginHint string, now time.Time) *session.Account {
	if s == nil {
		return nil
	}
	for i := range s.Accounts {
		account := &s.Accounts[i]
		switch {
		case r.boundTo() != "" && account.Sub != r.boundTo():
			continue
		case r.boundTo() != "", fulfils(r, account.SelectedAt, now), account.Sub == loginHint, len(s.Accounts) == 1:
			return account
		}
	}
	return nil
}

func (s *Situation) signedIn(sub string) bool {
	return slices.ContainsFunc(s.Session.Accounts, func(a session.Account) bool { return a.Sub == sub })
}

// fulfilledFor is how long an action of the user counts for the request. It is long enough for the following pages, and
// too short to use the request again from the browser's history.
const fulfilledFor = 10 * time.Minute

// fulfils tells whether the user did something at that time for this request.
func fulfils(r *Request, at, now time.Time) bool {
	return !at.Before(r.StartedAt) && isWithin(fulfilledFor, at, now)
}

// isWithin tells whether the time is at most age ago, and not in the future.
func isWithin(age time.Duration, at, now time.Time) bool {
	return now.Sub(at) <= age && at.Sub(now) <= grant.ClockError
}

// justNow tells whether the user did something at that time for this request.
func (s *Situation) justNow(at time.Time) bool { return fulfils(s.Request, at, s.Now) }

// chosen tells whether the user signed in or chose an account for this request, here or in the browser's own dialog.
func (s *Situation) chosen() bool {
	return s.Account != nil && (s.ChosenSub != "" || s.justNow(s.Account.SelectedAt))
}

// Level is a value of acr, and the ways to sign in that reach it, by their amr (RFC 8176 §2).
type Level struct {
	Value string   `yaml:"value"`
	AMR   []string `yaml:"amr"`
}

// Levels are the levels of an installation, the highest first.
type Levels []Level

// Values lists the values of acr.
func (l Levels) Values() []string {
	values := make([]string, len(l))
	for i, level := range l {
		values[i] = level.Value
	}
	return values
}

// Reached lists the values that the sign-in reaches, the highest first.
func (l Levels) Reached(account session.Account) []string {
	var reached []string
	for _, level := range l {
		if slices.ContainsFunc(account.AMR, func(amr string) bool { return slices.Contains(level.AMR, amr) }) {
			reached = append(reached, level.Value)
		}
	}
	if len(reached) == 0 {
		return []string{account.ACR}
	}
	return reached
}

// acr returns the first requested acr that the sign-in reaches, or else the highest it reaches (Core §5.5.1.1).
func (s *Situation) acr() string {
	reached := s.Levels.Reached(*s.Account)
	for _, wanted := range s.ACRValues {
		if slices.Contains(reached, wanted) {
			return wanted
		}
	}
	return reached[0]
}

// cannotReachACR tells whether another sign-in cannot help: no such level exists, or the user has just signed in.
func (s *Situation) cannotReachACR() bool {
	known := slices.ContainsFunc(s.Levels, func(l Level) bool { return slices.Contains(s.EssentialACR, l.Value) })
	return !known || s.justNow(s.Account.AuthTime)
}
