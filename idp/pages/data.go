package pages

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/a-h/templ"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Frame is the data that every page has.
type Frame struct {
	Title       string // of pages for developers, in English; other titles are in static/idp/languages
	Language    string // of Pages.Language; empty: English
	Issuer      string
	CSRF        string
	Interaction string // sealed; the page's forms send it back
	Client      *oidc.Client
	Development *Development // nil: the page is not one of development mode
	Lab         *Lab         // in development mode, while the failure lab does something
}

func (f Frame) language() string { return f.Language }

// At is the address of a path of the provider on a page: below the path of the issuer.
func (f Frame) At(path string) string { return string(endpoint.BaseOf(f.Issuer)) + path }

// Page is the data of a page: one of the types below, each of which has its HTML in a .templ file.
type Page interface {
	language() string
	At(path string) string
	html(in words) templ.Component
}

// The pages.
type (
	// Login is the sign-in page.
	Login struct {
		Frame
		Username string
		Wrong    bool      // the last attempt failed
		Reason   string    // why a person must sign in now: a key of tell in static/idp/languages, or empty
		OneClick []Account // users that need no password; development only

		// The form for a user that a person types, which is there with OneClick: what was typed, and its fault.
		TypedName, TypedClaims, TypedFault string
	}
	// Consent asks Account to allow Client the Scopes.
	Consent struct {
		Frame
		Account Account
		Scopes  []ScopeText
		Back    string // where the browser goes back to, by Place
	}
	// SelectAccount offers the accounts that are signed in, and another one.
	SelectAccount struct {
		Frame
		Accounts []Account
	}
	// Logout asks before it signs out.
	Logout struct {
		Frame
		Accounts []Account
		Notice   string // the fault of the request, for the developer of Client
		Returns  bool   // the browser goes back to Client afterwards
	}
	// SignedOut is the end of a logout. The page goes to ReturnTo when the Frames are loaded; it must be a registered
	// post_logout_redirect_uri.
	SignedOut struct {
		Frame
		ReturnTo    string
		Notice      string        // as on the page before
		Frames      []string      // registered frontchannel_logout_uris
		Still       []Account     // accounts that are still signed in with this browser
		Unconfirmed []oidc.Client // clients that did not confirm a logout token yet
	}
	// SignIns is the page of sessions and of apps with access.
	SignIns struct {
		Frame
		People   []Account // accounts signed in with this browser
		Sessions []SignIn
		Others   bool // some of the Sessions are in other browsers
		Access   []Access
	}
	// Device is the page that connects a device to an account (RFC 8628 §3.3). Without a Client it asks for the code;
	// with a Client it asks whether Account allows the Scopes; with a Decision it names the next step of the person.
	Device struct {
		Frame
		UserCode string // as typed, or as the device showed it
		Unknown  bool   // no device waits with that code
		Account  Account
		Another  string // the path for another account
		Scopes   []ScopeText
		Decision string // allow or deny
	}
	// Error is the page for an error that cannot be sent to a client.
	Error struct {
		Frame
		Kind                         string // a key of error in static/idp/languages; empty: the page has only its Title
		Status                       int
		RetryAfter                   int // seconds; 0: not known
		Code, Description, RequestID string
		Registered                   []string // redirect URIs that would have been accepted
		Again                        *App     // where the person can begin again; nil: not known

		// In development mode only.
		Reason, ReasonURL   string // the stable code of the reason, and the page about it
		Nearest, Difference string // the registered redirect URI most like the one in the request, and the difference
		YAML                string // the configuration that would accept the request
		AnyClient           bool   // so would any_client, which is off
		Remedy              *Remedy
		TellOrigin          string // of the page around this hidden iframe: a script posts the reason to it
	}
	// Home shows the accounts that are signed in; in development mode also endpoints, users and clients.
	Home struct {
		Frame
		Dev       bool
		Accounts  []Account
		Consents  []Remembered
		Apps      []App
		Users     []Account     // in development mode
		Clients   []oidc.Client // in development mode
		OptIns    []string      // powers of development mode that the configuration turned on
		Endpoints []Endpoint
	}
	// FormPost returns an answer to a client by response_mode=form_post. Action must be a registered redirect URI.
	FormPost struct {
		Frame
		Action string
		Values []Value
	}
	// WebMessage returns an answer to a client by response_mode=web_message. Its script posts Response to the origin
	// Target.
	WebMessage struct {
		Frame
		Target   string
		Response string // JSON
	}
	// FedCM ends the pop-up window that the browser opened for a sign-in by FedCM. Its script gives Token, a code for the
	// account with the id Account, to the browser; without a Token it only closes the window.
	FedCM struct {
		Frame
		Token, Account string
	}
	// Bridge is a page without any interface in a hidden iframe. Its Script asks the browser for access to the cookies of
	// the provider, and goes on to Next with the answer behind it. The script is in the page, because each renewal may
	// load the page anew.
	Bridge struct {
		Frame
		Next, Script string
	}
	// CheckSession is the page behind check_session_iframe. Cookies names the cookies with the browser state.
	CheckSession struct {
		Frame
		Cookies string
	}
	// StorageAccess asks the browser for access to the provider's cookie, in a frame of Client. Its script posts the
	// result to Origin, which must be verified. Visit is the path of a StorageVisit, with its query.
	StorageAccess struct {
		Frame
		Origin, Visit string
	}
	// StorageVisit is the visit that lets browsers ask for StorageAccess afterwards. Account is signed in.
	StorageVisit struct {
		Frame
		Account Account
	}
	// Console is the page for a developer. Its scripts fetch the rest; Frame.CSRF is the console's own token.
	Console struct {
		Frame
		Issuers []string // of this provider
	}
	// ConsoleCallback is a redirect URI of the console's own requests: it tells its address to the console.
	ConsoleCallback struct{ Frame }
	// Probe posts Report, a description of its own request, to the page that frames it. Origin is the origin of that
	// page.
	Probe struct {
		Frame
		Origin string
		Report string // JSON
	}
	// Reason explains one reason code.
	Reason struct {
		Frame
		Text ReasonText
	}
	// Reasons lists all reason codes.
	Reasons struct {
		Frame
		Groups []ReasonGroup
	}
)

// The parts of pages.
type (
	// Account is a user as pages show one.
	Account struct{ Sub, Username, Name, Email string }
	// ScopeText is a scope value with the description that the configuration has for it.
	ScopeText struct{ Name, Description string }
	// SignIn is one account in one browser.
	SignIn struct {
		Account Account
		SID     string
		Browser string // in words; may be empty
		This    bool   // the browser of the request
		Since   time.Time
		Seen    time.Duration // ago
	}
	// Access describes the access of one app to one account.
	Access struct {
		Account Account
		Client  oidc.Client
		Scopes  []ScopeText
		Since   time.Time // of the consent; zero: there is none
		Lasting bool      // it has refresh tokens, used last at Used
		Used    time.Time
	}
	// Remembered is a consent that a signed-in user gave.
	Remembered struct {
		Client    oidc.Client
		Scopes    []string
		GrantedAt time.Time
	}
	// Lab tells what the failure lab does: Notices are sentences without an end. Token is the console's CSRF token for the
	// form that turns it off and goes back to ReturnTo; without it there is no form.
	Lab struct {
		Notices         []string
		ReturnTo, Token string
	}
	// Remedy is a form that registers the redirect URI for the client, and makes the client if there is none. Action is
	// the path of the form, with the client_id escaped in it.
	Remedy struct{ Action, ClientID, RedirectURI, ReturnTo, Token string }
	// App is an application that lets a sign-in begin at the provider (Core §4), at URL.
	App struct{ Name, ClientID, URL string }
	// Endpoint is a URL of the provider by its name in the metadata.
	Endpoint struct{ Name, URL string }
	// ReasonText explains a reason code. Its texts have code between backticks, except Title, a short sentence without a
	// full stop.
	ReasonText struct {
		Code                                          oidc.Reason
		Title, Happened, HowWeKnow, HowSure, WhatToDo string
		Spec                                          []Link
	}
	// Link leads to a place in a specification.
	Link struct{ Text, URL string }
	// ReasonGroup is the reasons that concern one subject. Lead is about all of them.
	ReasonGroup struct {
		Title, Lead string
		Reasons     []ReasonText
	}
	// Value is one parameter of a FormPost.
	Value struct{ Name, Value string }
)

// Accounts are the users as pages show them.
func Accounts(list []users.User) []Account {
	accounts := make([]Account, len(list))
	for i, user := range list {
		accounts[i] = NewAccount(user)
	}
	return accounts
}

// NewAccount is the user as pages show one.
func NewAccount(u users.User) Account {
	return Account{Sub: u.Sub, Username: u.Username, Name: u.Name(), Email: u.Email()}
}

// DescribeScope pairs each scope value with its description in texts, which has the configured scopes. Standard scopes
// have a description in each language; a scope without a description is shown by its name.
func DescribeScope(scope oidc.Scope, texts map[string]string) []ScopeText {
	described := make([]ScopeText, len(scope))
	for i, name := range scope {
		described[i] = ScopeText{Name: name, Description: texts[name]}
	}
	return described
}

// Place is the recognizable part of a redirect URI: host and port of a web page, or the scheme of a native app. A
// client can choose any name (RFC 7591 §5), but not the target of its redirect URI.
func Place(uri string) string {
	u, err := url.Parse(uri)
	switch {
	case err != nil || u.Scheme == "":
		return ""
	case oidc.Origin(uri) == "":
		return u.Scheme + ":"
	}
	return u.Host
}

// registered returns a registered URI for an attribute. Its scheme may be any but one of scripts, because a native app
// has a scheme of its own. Registration refuses the schemes of scripts too; this is a second check.
func registered(uri string) templ.SafeURL {
	if u, err := url.Parse(uri); err != nil || oidc.IsScript(u.Scheme) {
		return templ.FailedSanitizationURL
	}
	return templ.SafeURL(uri)
}

// isWebPage reports whether the URI has the scheme http or https. Registration demands that of each URI that is a link.
func isWebPage(uri string) bool {
	scheme, _, found := strings.Cut(uri, "://")
	return found && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}

// initial is the first character of a name.
func initial(name string) string { return fmt.Sprintf("%.1s", name) }

// Bridge is the page that goes on to next, a path of the provider.
func (p *Pages) Bridge(frame Frame, next string) (Bridge, error) {
	script, err := p.bridge()
	return Bridge{Frame: frame, Next: next, Script: string(script)}, err
}

// NewFormPost is the page that posts values to action, a verified redirect URI.
func NewFormPost(frame Frame, action string, values url.Values) FormPost {
	page := FormPost{Frame: frame, Action: action}
	for name := range values {
		page.Values = append(page.Values, Value{Name: name, Value: values.Get(name)})
	}
	slices.SortFunc(page.Values, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return page
}

// NewWebMessage is the page that posts values to target, which must be the origin of a verified return address.
func NewWebMessage(frame Frame, target string, values url.Values) WebMessage {
	response := map[string]string{}
	for name := range values {
		response[name] = values.Get(name)
	}
	text, err := json.Marshal(response)
	if err != nil {
		panic(err) // a map of strings has a JSON form
	}
	return WebMessage{Frame: frame, Target: target, Response: string(text)}
}

// Groups are the sessions by browser and account, each in the order of Sessions. This browser is a group of its own.
func (p SignIns) Groups() (groups [][]SignIn) {
	for _, s := range p.Sessions {
		i := slices.IndexFunc(groups, func(g []SignIn) bool {
			return !s.This && !g[0].This && g[0].Browser == s.Browser && g[0].Account.Sub == s.Account.Sub
		})
		if i < 0 {
			groups = append(groups, []SignIn{s})
		} else {
			groups[i] = append(groups[i], s)
		}
	}
	return groups
}

// buttonID is the id of the button that ends the session.
func (p SignIns) buttonID(s SignIn) string {
	i := slices.IndexFunc(p.Sessions, func(one SignIn) bool { return one.SID == s.SID })
	return fmt.Sprintf("session-%d-end", i)
}

// Several reports whether more than one account is signed in, so that the page must name the account of each entry.
func (s SignIns) Several() bool { return len(s.People) > 1 }

// Ours reports whether the provider caused the error.
func (e Error) Ours() bool { return e.Status >= http.StatusInternalServerError }

// AppsFault reports whether the request of an app caused the error.
func (e Error) AppsFault() bool {
	return slices.Contains([]string{"", "request", "client_unknown", "redirect_unregistered"}, e.Kind) && !e.Ours()
}

// WaitMinutes is RetryAfter in minutes; 0 below two minutes.
func (e Error) WaitMinutes() int {
	if e.RetryAfter < 120 {
		return 0
	}
	return (e.RetryAfter + 59) / 60
}

// NewApp returns the client with the address at which a sign-in begins: its initiate_login_uri with iss, "the Issuer
// Identifier for the OP that the RP is to send the Authentication Request to" (Core §4). URL is empty without one.
func NewApp(client oidc.Client, issuer string) App {
	app := App{Name: client.Name(), ClientID: client.ClientID}
	if u, err := url.Parse(client.InitiateLoginURI); err == nil && client.InitiateLoginURI != "" {
		query, _ := oidc.ParseQuery(u.RawQuery)
		query.Set("iss", issuer)
		u.RawQuery = oidc.EncodeQuery(query)
		app.URL = u.String()
	}
	return app
}
