package lab

import (
	_ "embed"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// Kind is a kind of failure.
type Kind string

// The kinds for any request.
const (
	Error          Kind = "error"
	Status         Kind = "status"
	Delay          Kind = "delay"
	Drop           Kind = "drop"
	NoCORS         Kind = "no_cors"
	RefreshRevoked Kind = "refresh_revoked"
)

// The kinds for the authorization endpoint.
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

// The kinds for a code and for the tokens of that code.
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

// KindInfo describes a kind of fault.
type KindInfo struct {
	Kind      Kind     `json:"kind"`
	Text      string   `json:"text"`
	Endpoints []string `json:"endpoints"` // where it can happen; the first is the default
	// which of error, status, delay, lifetime, user it takes; the last two have a default
	Needs []string `json:"needs,omitempty"`
	Spec  string   `json:"spec,omitempty"`
	// Further are the endpoints where it can happen besides Endpoints: "all", or "scripts" for endpoints that scripts
	// call.
	Further string `json:"-" yaml:"further"`
	// Requests limits the kind to requests with prompt=none ("silent"), of an "iframe", of a "script" of another
	// origin, or with a refresh token ("refresh"); empty: all requests.
	Requests string `json:"-" yaml:"requests"`
}

//go:embed kinds.yaml
var kindsFile []byte

var kinds = sync.OnceValue(func() (list []KindInfo) {
	if err := yaml.UnmarshalWithOptions(kindsFile, &list, yaml.DisallowUnknownField()); err != nil {
		panic(err) // the file is embedded
	}
	return list
})

// Kinds lists all kinds of faults, each with the endpoints of served where it can happen.
func Kinds(served []endpoint.Endpoint) []KindInfo {
	all := slices.Clone(kinds())
	for i, kind := range all {
		for _, e := range served {
			if !e.Untraced && kind.fits(e) && !slices.Contains(all[i].Endpoints, e.Name) {
				all[i].Endpoints = append(slices.Clone(all[i].Endpoints), e.Name)
			}
		}
	}
	return all
}

// fits reports whether the fault can happen at e, besides Endpoints.
func (k KindInfo) fits(e endpoint.Endpoint) bool {
	isForScripts := e.IsForPrograms()
	return k.Further == "all" || k.Further == "scripts" && isForScripts
}

// concerns reports whether the fault is for such a request.
func (k KindInfo) concerns(r requestInfo) bool {
	switch k.Requests {
	case "silent":
		return r.silent
	case "iframe":
		return r.inFrame
	case "script":
		return r.origin != ""
	case "refresh":
		return r.grantType == oidc.GrantRefreshToken
	}
	return true
}

func (k Kind) info() (KindInfo, bool) {
	i := slices.IndexFunc(kinds(), func(info KindInfo) bool { return info.Kind == k })
	if i < 0 {
		return KindInfo{}, false
	}
	return kinds()[i], true
}

// reasons are the codes of the faults that only the lab can explain. The endpoints themselves explain the faults of
// sessions, cookies, consent and codes.
var reasons = map[Kind]oidc.Reason{
	Status: oidc.FaultInjected,
	Drop:   oidc.FaultInjected,
	NoCORS: oidc.OriginNotAllowed,
}
