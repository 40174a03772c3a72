package lab

import (
	"slices"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// Kind is what goes wrong.
type Kind string

// What goes wrong with any request.
const (
	Error          Kind = "error"
	Status         Kind = "status"
	Delay          Kind = "delay"
	Drop           Kind = "drop"
	NoCORS         Kind = "no_cors"
	RefreshRevoked Kind = "refresh_revoked"
)

// What goes wrong at the authorization endpoint.
const (
	HTMLPage                Kind = "html_page"
	FrameOptions            Kind = "frame_options"
	SessionLost             Kind = "session_lost"
	SessionExpired          Kind = "session_expired"
	SessionOtherUser        Kind = "session_other_user"
	ThirdPartyCookieIgnored Kind = "third_party_cookie_ignored"
	CookieSameSiteLax       Kind = "cookie_samesite_lax"
	ConsentWithdrawn        Kind = "consent_withdrawn"
)

// What goes wrong with a code and with the tokens that it gives.
const (
	CodeSpent     Kind = "code_spent"
	ShortLifetime Kind = "short_lifetime"
	WrongIss      Kind = "wrong_iss"
	WrongAud      Kind = "wrong_aud"
	WrongNonce    Kind = "wrong_nonce"
	WrongSub      Kind = "wrong_sub"
	Expired       Kind = "expired"
	FutureIat     Kind = "future_iat"
	AlgNone       Kind = "alg_none"
	BadSignature  Kind = "bad_signature"
	MissingKID    Kind = "missing_kid"
	UnknownKID    Kind = "unknown_kid"
)

// The endpoints that have faults of their own.
const (
	authorize = "authorize"
	token     = "token"
)

// KindInfo describes a kind of fault to who wants to cause it.
type KindInfo struct {
	Kind      Kind     `json:"kind"`
	Text      string   `json:"text"`
	Endpoints []string `json:"endpoints"` // where it can happen; the first is the default
	// which of error, status, delay, lifetime, user it takes; the last two have a default
	Needs []string `json:"needs,omitempty"`
	Spec  string   `json:"spec,omitempty"`

	meets func(requestInfo) bool         // which requests it is for, beyond client and endpoint; nil: all
	fits  func(e endpoint.Endpoint) bool // where it can happen besides Endpoints; nil: nowhere
}

// Kinds lists all kinds of faults, each with the endpoints of served where it can happen.
func Kinds(served []endpoint.Endpoint) []KindInfo {
	all := slices.Clone(kinds)
	for i, kind := range all {
		for _, e := range served {
			if kind.fits != nil && !e.Untraced && kind.fits(e) && !slices.Contains(all[i].Endpoints, e.Name) {
				all[i].Endpoints = append(slices.Clone(all[i].Endpoints), e.Name)
			}
		}
	}
	return all
}

func (k Kind) info() (KindInfo, bool) {
	i := slices.IndexFunc(kinds, func(info KindInfo) bool { return info.Kind == k })
	if i < 0 {
		return KindInfo{}, false
	}
	return kinds[i], true
}

var (
	anywhere    = []string{token, authorize}
	atAuthorize = []string{authorize}
	atToken     = []string{token}
)

func isAny(endpoint.Endpoint) bool { return true }

func isForScripts(e endpoint.Endpoint) bool {
	return e.Audience == endpoint.Programs || e.Audience == endpoint.Files
}

func silent(v requestInfo) bool  { return v.silent }
func inFrame(v requestInfo) bool { return v.inFrame }

var kinds = []KindInfo{
	{
		Kind: Error, Text: "answers with an OAuth error",
		Endpoints: []string{authorize, token}, Needs: []string{needError}, Spec: "RFC 6749 §4.1.2.1, §5.2",
	},
	{
		Kind:      Status,
		Text:      "answers with an HTTP status and no OAuth error, as a proxy does when the provider is down or too busy",
		Endpoints: anywhere, fits: isAny, Needs: []string{needStatus}, Spec: "RFC 9110 §15, RFC 6585 §4",
	},
	{
		Kind: Delay, Text: "answers late",
		Endpoints: anywhere, fits: isAny, Needs: []string{needDelay},
	},
	{
		Kind: Drop, Text: "closes the connection without an answer",
		Endpoints: anywhere, fits: isAny,
	},
	{
		Kind: NoCORS, Text: "answers without CORS headers, so the browser hides the answer from the script that asked",
		Endpoints: atToken, Spec: "Fetch, CORS protocol", fits: isForScripts,
		meets: func(v requestInfo) bool { return v.origin != "" },
	},
	{
		Kind: RefreshRevoked, Text: "takes the refresh token for one that was revoked, and revokes what was granted",
		Endpoints: atToken, Spec: "RFC 6749 §6",
		meets: func(v requestInfo) bool { return v.grantType == "refresh_token" },
	},
	{
		Kind: HTMLPage, Text: "shows a page under prompt=none, where only a redirect may be",
		Endpoints: atAuthorize, Spec: "Core §3.1.2.1", meets: silent,
	},
	{
		Kind: FrameOptions, Text: "shows a page under prompt=none that the browser refuses to frame",
		Endpoints: atAuthorize, Spec: "RFC 7034 §2.1", meets: silent,
	},
	{
		Kind: SessionLost, Text: "knows nothing of the session, as after a restart",
		Endpoints: atAuthorize, Spec: "Core §3.1.2.6",
	},
	{
		Kind: SessionExpired, Text: "takes the session for one past its absolute lifetime",
		Endpoints: atAuthorize, Spec: "Core §3.1.2.6",
	},
	{
		Kind: SessionOtherUser, Text: "finds another user signed in",
		Endpoints: atAuthorize, Needs: []string{needUser}, Spec: "Core §3.1.2.1 id_token_hint",
	},
	{
		Kind:      ThirdPartyCookieIgnored,
		Text:      "overlooks the cookies of an iframe, as if the browser had withheld them as third-party cookies",
		Endpoints: atAuthorize, meets: inFrame,
	},
	{
		Kind: CookieSameSiteLax,
		Text: "overlooks the cookies of an iframe, as if they had been set with SameSite=Lax and the application " +
			"were on another site",
		Endpoints: atAuthorize, Spec: "RFC 6265bis §4.1.2.7", meets: inFrame,
	},
	{
		Kind: ConsentWithdrawn, Text: "remembers no consent, and takes the client for no first party",
		Endpoints: atAuthorize, Spec: "Core §3.1.2.4",
	},
	{
		Kind: CodeSpent, Text: "takes the code for one that was redeemed before, and revokes what it gave",
		Endpoints: atToken, Spec: "RFC 6749 §4.1.2",
	},
	{
		Kind: ShortLifetime, Text: "gives access tokens that expire soon",
		Endpoints: atToken, Needs: []string{needLifetime}, Spec: "RFC 6749 §5.1",
	},
	{Kind: WrongIss, Text: "signs an ID token with another issuer's iss", Endpoints: atToken, Spec: "Core §3.1.3.7 2"},
	{Kind: WrongAud, Text: "signs an ID token for another client's aud", Endpoints: atToken, Spec: "Core §3.1.3.7 3"},
	{Kind: WrongNonce, Text: "signs an ID token with a nonce that nobody sent", Endpoints: atToken,
		Spec: "Core §3.1.3.7 11"},
	{Kind: WrongSub, Text: "signs an ID token about another sub", Endpoints: atToken, Spec: "Core §12.2, §5.3.2"},
	{Kind: Expired, Text: "signs an ID token that expired an hour ago", Endpoints: atToken, Spec: "Core §3.1.3.7 9"},
	{Kind: FutureIat, Text: "signs an ID token whose iat is an hour ahead", Endpoints: atToken, Spec: "Core §3.1.3.7 10"},
	{Kind: AlgNone, Text: "gives an ID token with alg none and no signature", Endpoints: atToken,
		Spec: "Core §3.1.3.7 7, RFC 8725 §3.1"},
	{Kind: BadSignature, Text: "gives an ID token whose signature does not fit", Endpoints: atToken,
		Spec: "Core §3.1.3.7 6"},
	{Kind: MissingKID, Text: "signs an ID token without kid in its header", Endpoints: atToken, Spec: "Core §10.1"},
	{
		Kind: UnknownKID, Text: "signs an ID token with a key that is not published, as in a rotation that came too early",
		Endpoints: atToken, Spec: "Core §10.1.1",
	},
}

// reasons are the codes for what a fault looks like from outside, where the lab is the one to say it. The session and
// its cookies, consent and code are explained by the endpoints themselves.
var reasons = map[Kind]oidc.Reason{
	Status: oidc.FaultInjected,
	Drop:   oidc.FaultInjected,
	NoCORS: oidc.OriginNotAllowed,
}
