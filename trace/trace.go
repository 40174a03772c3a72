package trace

import (
	"context"
	"time"
)

// Step is one check, decision or action while a request is answered.
type Step struct {
	At      time.Time `json:"at"` // Emit fills it in
	Kind    Kind      `json:"kind"`
	Spec    string    `json:"spec,omitempty"` // "RFC 7636 §4.2"
	Text    string    `json:"text"`           // "code_challenge_method is S256"
	Outcome Outcome   `json:"outcome"`
	Reason  string    `json:"reason,omitempty"` // of docs/reasons.md, when Outcome is Failed
	Values  []Value   `json:"values,omitempty"` // the checked values, masked
}

// Kind is the subject of a Step.
type Kind string

// The kinds of steps, roughly in the order in which a renewal has them.
const (
	KindClient      Kind = "client"       // client_id found, or not
	KindRedirectURI Kind = "redirect_uri" // verified, or not
	KindRule        Kind = "rule"         // Text is the rule: OK means that it holds
	KindSession     Kind = "session"      // found, or why not
	KindNeed        Kind = "need"         // a condition of an answer without a page, such as "a user is signed in"
	KindConsent     Kind = "consent"      // read from the store
	KindCode        Kind = "code"         // issued, redeemed, replayed
	KindToken       Kind = "token"        // signed
	KindUserinfo    Kind = "userinfo"
	KindSignIn      Kind = "sign_in"
	KindLogout      Kind = "logout"
	KindCORS        Kind = "cors"
	KindFault       Kind = "fault"  // the failure lab changed something
	KindError       Kind = "error"  // of the answer
	KindReport      Kind = "report" // by the application
)

// Outcome is how a Step ended.
type Outcome string

// Noted is a step that is neither right nor wrong.
const (
	OK     Outcome = "ok"
	Failed Outcome = "failed"
	Noted  Outcome = "noted"
)

// Cookie is one cookie in a request or an answer.
type Cookie struct {
	Name string `json:"name"`
	Text string `json:"text"` // masked
	// sent, overlooked (the failure lab hid it), withheld (the browser did not send it), set, removed
	Direction string `json:"direction"`
	SameSite  string `json:"same_site,omitempty"`
	Secure    bool   `json:"secure,omitempty"`
	HTTPOnly  bool   `json:"http_only,omitempty"`
	Session   bool   `json:"session"` // it is a session cookie
}

// Fetch is the fetch metadata of a request (https://www.w3.org/TR/fetch-metadata/). Empty: the browser did not send it.
type Fetch struct {
	Site          string `json:"site,omitempty"`           // same-origin, same-site, cross-site, none
	Mode          string `json:"mode,omitempty"`           // navigate, cors …
	Dest          string `json:"dest,omitempty"`           // document, iframe, empty …
	StorageAccess string `json:"storage_access,omitempty"` // none, inactive, active
}

// Record is one request to the provider and its answer, or a report of the application (Endpoint
// callback, api or clock).
type Record struct {
	ID     string        `json:"id"` // the request id
	FlowID string        `json:"flow_id"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took"` // in nanoseconds
	Issuer string        `json:"issuer"`
	// authorize, token, userinfo, revoke, introspect, login, select_account, consent, logout, discovery, jwks; callback,
	// api, clock
	Endpoint    string   `json:"endpoint"`
	Method      string   `json:"method"`
	Path        string   `json:"path"`
	ClientID    string   `json:"client_id,omitempty"`
	Silent      bool     `json:"silent"`            // prompt=none
	Origin      string   `json:"origin,omitempty"`  // header
	Referer     string   `json:"referer,omitempty"` // header, without query
	UserAgent   string   `json:"user_agent,omitempty"`
	Fetch       Fetch    `json:"fetch"`
	Params      []Value  `json:"params,omitempty"`
	Cookies     []Cookie `json:"cookies,omitempty"`
	Overlooked  bool     `json:"overlooked,omitempty"` // the failure lab hid the cookies from the provider
	Steps       []Step   `json:"steps,omitempty"`
	taken       []moment // the steps, until the record is read
	session     uint64   // a sum of the session's id; zero: none was found
	renewer     uint64   // see renewerOf; the hub compares it with that of each flow's first record
	Status      int      `json:"status"`             // 0: the connection was dropped
	Location    string   `json:"location,omitempty"` // masked
	Answer      []Value  `json:"answer,omitempty"`   // parameters of the redirect, or members of the JSON; masked
	Error       string   `json:"error,omitempty"`    // the OAuth error code
	Description string   `json:"error_description,omitempty"`
	Reason      string   `json:"reason,omitempty"` // of the failure
	// Asks is how the answer asks the browser for the cookies of a hidden iframe: retry or bridge. The browser comes back.
	Asks   string `json:"asks,omitempty"`
	Nested bool   `json:"nested,omitempty"` // the Referer of an authorize request is a registered redirect_uri
	// ClockOffset is how far the provider's clock is ahead of the real time, in nanoseconds. In a report it is how far
	// the application's clock is ahead of the provider's.
	ClockOffset time.Duration `json:"clock_offset,omitempty"`
}

// The values of Record.Asks.
const (
	AsksRetry  = "retry"  // by a header: the browser sends the same request again
	AsksBridge = "bridge" // by a page in the iframe, which leads back to /authorize
)

// Emit adds a step to the record of the request that ctx belongs to. It does nothing without a Hub. Check
// From(ctx) != nil before if the Step is costly to make.
func Emit(ctx context.Context, step Step) { From(ctx).Emit(step) }

// Narrow records for each text in why that the client gets less than the request asked for.
func Narrow(ctx context.Context, spec string, why ...string) {
	for _, text := range why {
		Emit(ctx, Step{Kind: KindRule, Spec: spec, Text: text, Outcome: Noted, Reason: requestNarrowed})
	}
}
