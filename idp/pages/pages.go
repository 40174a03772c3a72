// Package pages renders what a person sees. It knows the templates, what each of them needs, and the headers that keep a
// page from being framed or scripted by others; what is true is for the rooms that use it to say.
package pages

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Frame is what every page has.
type Frame struct {
	Title       string
	Issuer      string
	CSRF        string
	Interaction string // sealed; travels through the page's forms
	Client      *oidc.Client
}

// Accounts are the users as pages show them.
func Accounts(list []users.User) []Account {
	accounts := make([]Account, len(list))
	for i, user := range list {
		accounts[i] = NewAccount(user)
	}
	return accounts
}

// Account is a user as pages show one.
type Account struct{ Sub, Username, Name, Email string }

// NewAccount is the user as pages show one.
func NewAccount(u users.User) Account {
	return Account{Sub: u.Sub, Username: u.Username, Name: u.Name(), Email: u.Email()}
}

// The pages, each with what its template needs.
type (
	// Login is the sign-in page. Reason says why a person must sign in now; Error, why the last attempt failed.
	Login struct {
		Frame
		Username, Error, Reason string
		OneClick                []Account // users that need no password; development only
	}
	// Consent asks Account to allow Client the Scopes.
	Consent struct {
		Frame
		Account Account
		Scopes  []ScopeText
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
		Notice   string // what was wrong with the request, for the developer of Client
	}
	// SignedOut is the end of a logout. ReturnTo must be a registered post_logout_redirect_uri.
	SignedOut struct {
		Frame
		ReturnTo template.URL
		Still    []Account // who is signed in with this browser all the same
	}
	// Error is the page for what cannot be sent to a client.
	Error struct {
		Frame
		Status                       int
		Code, Description, RequestID string
		Registered                   []string // redirect URIs that would have been accepted

		// In development mode only.
		Reason              string // the stable code of the reason
		ReasonURL           string // the page about it
		Nearest, Difference string // the registered redirect URI that is most like the one in the request, and what differs
		YAML                string // what the configuration would have to say
		Remedy              *Remedy
		TellOrigin          string // of the page around this one, in a hidden iframe: it is told the reason
	}
	// Remedy is a form that registers the redirect URI for the client, and makes the client if there is none. Action is the path
	// that it is posted to, with the client_id escaped in it.
	Remedy struct{ Action, ClientID, RedirectURI, ReturnTo, Token string }

	// Home shows who is signed in, and a developer the rest of the provider.
	Home struct {
		Frame
		Dev       bool
		Accounts  []Account
		Consents  []Remembered
		Users     []Account     // in development mode
		Clients   []oidc.Client // in development mode
		Endpoints []Endpoint
	}
	// FormPost hands an answer to a client by response_mode=form_post.
	FormPost struct {
		Frame
		Action template.URL
		Values []Value
	}
)

// Remembered is a consent that a signed-in user gave.
type Remembered struct {
	Client    oidc.Client
	Scopes    []string
	GrantedAt time.Time
}

// Endpoint is an address of the provider by its name in the metadata.
type Endpoint struct{ Name, URL string }

// Value is one parameter of a FormPost.
type Value struct{ Name, Value string }

// ScopeText is a scope value and what it means to a person.
type ScopeText struct{ Name, Description string }

// Pages renders the provider's pages.
type Pages struct{ templates map[string]*template.Template }

// names are the pages with a template of their own in the layout.
var names = []string{"login", "consent", "select_account", "logout", "signed_out", "error", "home", "console", "probe", "reason", "reasons"}

// New parses the templates in files: layout.html, and one file for each page.
func New(files fs.FS) (*Pages, error) {
	p := &Pages{templates: map[string]*template.Template{}}
	for _, name := range names {
		parsed, err := template.ParseFS(files, "layout.html", name+".html")
		if err != nil {
			return nil, fmt.Errorf("page %s: %w", name, err)
		}
		p.templates[name] = parsed.Lookup("layout")
	}
	parsed, err := template.ParseFS(files, "form_post.html")
	if err != nil {
		return nil, fmt.Errorf("page form_post: %w", err)
	}
	p.templates["form_post"] = parsed.Lookup("form_post")
	return p, nil
}

// Policy is what a page may do beyond the default, which is: nothing from elsewhere, and be framed by nobody.
type Policy struct {
	FormAction string // a URI to whose origin the page's forms may lead, by redirects too
	FramedBy   string // a URI whose origin may frame the page
	Connects   bool   // the page's scripts may ask this provider
}

// Render writes the page called name. It sets the page's Content-Security-Policy; what all answers share is the router's.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	var body bytes.Buffer
	if err := p.templates[name].Execute(&body, page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy.csp())
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	if policy.FramedBy != "" {
		h.Del("X-Frame-Options") // it cannot name an origin; frame-ancestors does
	}
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}

// csp is strict: no inline script or style, no foreign source, no frame. form-action has to name the client as well, since
// Chromium applies it to the redirects that follow a form, and a sign-in ends in a redirect to the client.
func (p Policy) csp() string {
	frameAncestors := "'none'"
	if origin := cspOrigin(p.FramedBy); origin != "" {
		frameAncestors = origin
	}
	directives := []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: https:", "base-uri 'none'",
		"form-action 'self'" + formTarget(p.FormAction), "frame-ancestors " + frameAncestors,
	}
	if p.Connects {
		directives = append(directives, "connect-src 'self'")
	}
	return strings.Join(directives, "; ")
}

// formTarget is the source for where a form may lead, with a space before it. Where CSP cannot name the host, it is the
// scheme alone: for a native app's own scheme, and for [::1].
func formTarget(uri string) string {
	if origin := cspOrigin(uri); origin != "" {
		return " " + origin
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" {
		return ""
	}
	return " " + u.Scheme + ":"
}

// namedHost is what CSP can name as a host, with its port (CSP Level 3 §2.3.1). url.Parse takes more, up to signs that
// would begin another directive.
var namedHost = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]+)?$`)

func cspOrigin(uri string) string {
	if origin := oidc.Origin(uri); namedHost.MatchString(origin) {
		return origin
	}
	return ""
}

// NewFormPost is the page that posts values to action, which must come from a verified return address.
func NewFormPost(frame Frame, action string, values url.Values) FormPost {
	page := FormPost{Frame: frame, Action: template.URL(action)}
	for name, list := range values {
		page.Values = append(page.Values, Value{Name: name, Value: list[0]})
	}
	slices.SortFunc(page.Values, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return page
}

// DescribeScope says what the scope means to a person. texts are those of the scopes that the configuration adds; a scope
// without a text is shown by its name.
func DescribeScope(scope oidc.Scope, texts map[string]string) []ScopeText {
	described := make([]ScopeText, len(scope))
	for i, name := range scope {
		described[i] = ScopeText{Name: name, Description: cmp.Or(texts[name], standardScopes[name])}
	}
	return described
}

// standardScopes says what the scopes of OpenID Connect mean to the person who is asked to allow them.
var standardScopes = map[string]string{
	oidc.ScopeOpenID:  "Know that it is you, by an identifier",
	oidc.ScopeProfile: "See your name, picture and the rest of your profile",
	oidc.ScopeEmail:   "See your email address",
	oidc.ScopeAddress: "See your postal address",
	oidc.ScopePhone:   "See your phone number",
}
