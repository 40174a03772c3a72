// Package pages renders the pages that people see. It knows the templates, their data, and the headers that keep other
// sites from framing or scripting a page. Its callers decide what a page says.
//
//	Language(r, ui_locales) ──► Frame.Language ──┐
//	the data of a page, such as Login ───────────┴─► Render ──► the template of that language ──► headers and HTML
//
// The templates contain no texts: static/idp/languages has a file for each language, by keys such as login.title. A new
// language is a new file there; a new text is a line in each file. New refuses languages whose keys differ.
//
// Where teaching ends: names from apps and from the configuration, and texts for developers, are in one language.
package pages

import (
	"bytes"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Frame is the data that every page has.
type Frame struct {
	Title       string // of pages for developers, in English; other titles are in static/idp/languages
	Language    string // of Pages.Language; empty: English
	Issuer      string
	CSRF        string
	Interaction string // sealed; travels through the page's forms
	Client      *oidc.Client
}

func (f Frame) language() string { return f.Language }

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

// The pages, each with the data of its template.
type (
	// Login is the sign-in page.
	Login struct {
		Frame
		Username string
		Wrong    bool      // the last attempt failed
		Reason   string    // why a person must sign in now: a key of tell in the catalogues, or empty
		OneClick []Account // users that need no password; development only
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
		Notice   string // what was wrong with the request, for the developer of Client
	}
	// SignedOut is the end of a logout. ReturnTo must be a registered post_logout_redirect_uri.
	SignedOut struct {
		Frame
		ReturnTo    template.URL
		Redirects   bool           // to ReturnTo by script, when the Frames are loaded
		Frames      []template.URL // registered frontchannel_logout_uris
		Still       []Account      // accounts that are still signed in with this browser
		Unconfirmed []oidc.Client  // clients that did not confirm a logout token yet
	}
	// Error is the page for an error that cannot be sent to a client.
	Error struct {
		Frame
		Kind                         string // a key of error in the catalogues; empty: Title says it all
		Status                       int
		RetryAfter                   int // seconds; 0: not known
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
	// Remedy is a form that registers the redirect URI for the client, and makes the client if there is none. Action is
	// the path that it is posted to, with the client_id escaped in it.
	Remedy struct{ Action, ClientID, RedirectURI, ReturnTo, Token string }

	// Home shows the accounts that are signed in, and to a developer the rest of the provider.
	Home struct {
		Frame
		Dev       bool
		Accounts  []Account
		Consents  []Remembered
		Apps      []App
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

// Endpoint is a URL of the provider by its name in the metadata.
type Endpoint struct{ Name, URL string }

// Value is one parameter of a FormPost.
type Value struct{ Name, Value string }

// ScopeText is a scope value with the description that the configuration has for it.
type ScopeText struct{ Name, Description string }

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

// Pages renders the provider's pages.
type Pages struct {
	words     []words // English first
	matcher   language.Matcher
	templates map[string]map[string]*template.Template // by language and name
}

// names are the pages inside the layout.
var names = []string{"login", "consent", "select_account", "logout", "signed_out", "error", "home", "device", "account",
	"console", "probe", "reason", "reasons"}

// alone are the pages outside the layout. A person sees them only if their script did not run.
var alone = []string{"form_post", "web_message", "check_session"}

// New parses the templates in files: layout.html, and one file for each page. Templates get their texts from languages/
// by these functions:
//
//	t "key" "name" value …   the text of the key, with values for its placeholders
//	date                     a time
//	scope                    what a ScopeText means
//	lang                     the language's tag
func New(files fs.FS) (p *Pages, err error) {
	p = &Pages{templates: map[string]map[string]*template.Template{}}
	if p.words, err = readWords(files); err != nil {
		return nil, err
	}
	tags := make([]language.Tag, len(p.words))
	for i, w := range p.words {
		tags[i] = w.tag
		p.templates[w.tag.String()] = map[string]*template.Template{}
	}
	p.matcher = language.NewMatcher(tags)
	for _, name := range names {
		if err := p.add(files, name, "layout", "layout.html", name+".html"); err != nil {
			return nil, err
		}
	}
	for _, name := range alone {
		if err := p.add(files, name, name, "layout.html", name+".html"); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add parses a page once and makes a copy with the functions of each language.
func (p *Pages) add(files fs.FS, name, root string, from ...string) error {
	parsed, err := template.New(name).Funcs(p.words[0].funcs()).ParseFS(files, from...)
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	for _, w := range p.words {
		own, err := parsed.Clone()
		if err != nil {
			return fmt.Errorf("page %s: %w", name, err)
		}
		p.templates[w.tag.String()][name] = own.Funcs(w.funcs()).Lookup(root)
	}
	return nil
}

func (w words) funcs() template.FuncMap {
	return template.FuncMap{"t": w.say, "date": w.date, "scope": w.scope, "lang": w.tag.String}
}

// Policy lists what a page may do beyond the default: no resources of other origins, no framing.
type Policy struct {
	FormAction string   // the page's forms may lead to the origin of this URI, by redirects too
	FramedBy   string   // the origin of this URI may frame the page
	Framers    []string // more of them; the port may be *
	Frames     []string // URIs that the page may load into frames
	Connects   bool     // the page's scripts may ask this provider
}

// Render writes the page called name in the language of its Frame, with the Content-Security-Policy of policy. The
// server sets the headers that all answers share.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	in := p.speaking(page)
	var body bytes.Buffer
	if err := p.templates[in][name].Execute(&body, page); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", in)
	h.Set("Content-Security-Policy", policy.csp())
	h.Set("Cache-Control", "no-store")
	h.Set("X-Frame-Options", "DENY")
	if policy.FramedBy != "" || len(policy.Framers) > 0 {
		h.Del("X-Frame-Options") // it cannot name an origin; frame-ancestors does
	}
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}

// speaking is the language of the page; English if there are no texts in it.
func (p *Pages) speaking(page any) string {
	if framed, ok := page.(interface{ language() string }); ok && p.templates[framed.language()] != nil {
		return framed.language()
	}
	return p.words[0].tag.String()
}

// csp is strict: no inline script or style, no foreign source, no frame. form-action has to name the client as well,
// since Chromium applies it to the redirects that follow a form, and a sign-in ends in a redirect to the client.
func (p Policy) csp() string {
	frameAncestors := "'none'"
	if framers := sources(append([]string{p.FramedBy}, p.Framers...)); framers != "" {
		frameAncestors = framers[1:]
	}
	directives := []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: https:", "base-uri 'none'",
		"form-action 'self'" + formTarget(p.FormAction), "frame-ancestors " + frameAncestors,
	}
	if p.Connects {
		directives = append(directives, "connect-src 'self'")
	}
	if frames := sources(p.Frames); frames != "" {
		directives = append(directives, "frame-src"+frames)
	}
	return strings.Join(directives, "; ")
}

// sources are the distinct origins of the URIs, each after a space. The port * means all ports of the host.
func sources(uris []string) (list string) {
	for _, uri := range uris {
		origin := cspOrigin(uri)
		if host, any := strings.CutSuffix(uri, ":*"); any && cspOrigin(host) != "" {
			origin = uri
		}
		if origin == "" && strings.HasPrefix(uri, "http://[::1]") {
			origin = "http:" // CSP cannot name that host
		}
		if origin != "" && !strings.Contains(list+" ", " "+origin+" ") {
			list += " " + origin
		}
	}
	return list
}

// formTarget is the CSP source of the target of a form, after a space. It is the scheme alone where CSP cannot name the
// host: for a native app's own scheme, and for [::1].
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

// namedHost matches the origins that CSP can name (CSP Level 3 §2.3.1). url.Parse accepts more, even characters that
// would begin another directive.
var namedHost = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]+)?$`)

func cspOrigin(uri string) string {
	if origin := oidc.Origin(uri); namedHost.MatchString(origin) {
		return origin
	}
	return ""
}

// NewFormPost is the page that posts values to action, a verified redirect URI.
func NewFormPost(frame Frame, action string, values url.Values) FormPost {
	page := FormPost{Frame: frame, Action: template.URL(action)}
	for name, list := range values {
		page.Values = append(page.Values, Value{Name: name, Value: list[0]})
	}
	slices.SortFunc(page.Values, func(a, b Value) int { return strings.Compare(a.Name, b.Name) })
	return page
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

// DescribeScope pairs each scope value with its description in texts, which has the configured scopes. Standard scopes
// have a description in each language; a scope without one is shown by its name.
func DescribeScope(scope oidc.Scope, texts map[string]string) []ScopeText {
	described := make([]ScopeText, len(scope))
	for i, name := range scope {
		described[i] = ScopeText{Name: name, Description: texts[name]}
	}
	return described
}
