package fedcm

import (
	"net/http"
	"strings"

	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
)

// fromFedCM holds for every request that carries the session cookie.
var fromFedCM = oidc.Table[*http.Request]{{
	Spec: "FedCM, Sec-Fetch-Dest Header", Text: "the browser sent the request by FedCM: Sec-Fetch-Dest is webidentity",
	Reason: oidc.FedCMNotBrowser,
	Holds:  func(r *http.Request) bool { return r.Header.Get("Sec-Fetch-Dest") == webIdentity },
	Got:    func(r *http.Request) string { return quote(r.Header.Get("Sec-Fetch-Dest")) },
	Help:   "call navigator.credentials.get with identity; no page and no script can send this request by itself",
}}

// known is about the client that a request names. Its client_id is empty if it is not registered.
var known = oidc.Table[*oidc.Client]{{
	Spec: "FedCM, clientId", Text: "client_id names a registered client", Params: []string{"client_id"},
	Else: oidc.UnauthorizedClient, Reason: oidc.ClientUnknown,
	Holds: func(c *oidc.Client) bool { return c.ClientID != "" },
	Help:  "check clientId in navigator.credentials.get, or add the client to the configuration",
}}

// Caller is the script for which the browser asks.
type Caller struct {
	Origin string
	Client *oidc.Client
}

// callers are judged before anything is said to the script.
var callers = oidc.Table[Caller]{{
	Spec: "FedCM, Identity assertion endpoint", Text: "the Origin is that of a redirect URI of the client",
	Else: oidc.UnauthorizedClient, Reason: oidc.OriginNotAllowed,
	Holds: func(c Caller) bool { return oidc.MatchRedirectURI(c.Client.Origins(), c.Origin) },
	Got:   func(c Caller) string { return quote(c.Origin) },
	Help:  "register a redirect_uri of this origin for the client",
}}

// Assertion is a request for a code.
type Assertion struct {
	Malformed error  // the error of reading the form
	Account   string // account_id
	Automatic bool   // the browser chose the account by itself, without a dialog
	Prompt    string
	Fault     error // the error of reading params
}

var assertions = oidc.Table[Assertion]{{
	Spec: "FedCM, Identity assertion endpoint", Text: "the body is a form",
	Holds: func(a Assertion) bool { return a.Malformed == nil },
	Got:   func(a Assertion) string { return oidc.FormFault(a.Malformed) },
}, {
	Spec: "FedCM, Identity assertion endpoint", Text: "account_id names the account that the user chose",
	Params: []string{formAccount},
	Holds:  func(a Assertion) bool { return a.Account != "" },
}, {
	Spec: "FedCM for OAuth, Scope", Text: "params is a JSON object with the parameters of an authentication request",
	Params: []string{formParams},
	Holds:  func(a Assertion) bool { return a.Fault == nil },
	Got:    func(a Assertion) string { return a.Fault.Error() },
	Help: "give navigator.credentials.get the member params with redirect_uri, scope, nonce, code_challenge and " +
		"code_challenge_method",
}, {
	Spec: "FedCM, is_auto_selected", Text: "the user chose the account in a dialog, if prompt has select_account",
	Params: []string{formIsAutomatic, "prompt"}, Else: oidc.AccountSelectionRequired, Reason: oidc.AccountAmbiguous,
	Holds: func(a Assertion) bool {
		return !a.Automatic || !strings.Contains(a.Prompt, string(oidc.PromptSelectAccount))
	},
	Help: "call navigator.credentials.get with mediation: 'required'",
}}

// signedIn is about the accounts of the browser.
var signedIn = oidc.Table[session.Absence]{{
	Spec: "FedCM, Accounts endpoint", Text: "an account is signed in with this browser", Else: oidc.LoginRequired,
	Holds: func(a session.Absence) bool { return a == "" },
	Got:   func(a session.Absence) string { return "none: " + a.Error() },
}}

func quote(text string) string {
	const most = 100
	return "'" + strings.ToValidUTF8(text[:min(len(text), most)], "") + "'"
}
