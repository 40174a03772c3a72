// Package pages renders the pages that people see. It has the templates, their data, and the headers that prevent
// framing and scripting by other sites. Its callers decide the contents of a page.
//
//	Language(r, ui_locales) ──► Frame.Language ──┐
//	the data of a page, such as Login ───────────┴─► Render ──► the template of that language ──► headers and HTML
//
// The templates contain no texts: static/idp/languages has a file for each language, by keys such as login.title. A new
// language is a new file there; a new text is a line in each file. Check refuses languages whose keys differ. A
// template and the texts of a language are read when the first answer needs them: a start does not wait for them.
//
// Where teaching ends: names from apps and from the configuration, and texts for developers, are in one language.
package pages

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// Pages renders the provider's pages.
type Pages struct {
	languages []words // English first
	matcher   func() language.Matcher
	templates map[string]map[string]func() (*template.Template, error) // by language and name
}

var names = []string{
	"login", "consent", "select_account", "logout", "signed_out", "error", "home", "device", "account", "console", "probe",
	"reason", "reasons", "form_post", "web_message", "check_session",
}

// New returns the pages of files: layout.html, and one file for each page. It reads only the names of the languages;
// Check reads all. Templates get their texts from languages/ by these functions:
//
//	t "key" "name" value …   the text of the key, with values for its placeholders
//	date                     a time
//	scope                    what a ScopeText means
//	lang                     the language's tag
//	code                     a text with code between backticks
func New(files fs.FS) (p *Pages, err error) {
	p = &Pages{templates: map[string]map[string]func() (*template.Template, error){}}
	if p.languages, err = listLanguages(files); err != nil {
		return nil, err
	}
	tags := make([]language.Tag, len(p.languages))
	for i, w := range p.languages {
		tags[i] = w.tag
		templates := map[string]func() (*template.Template, error){}
		for _, name := range names {
			templates[name] = sync.OnceValues(func() (*template.Template, error) { return parse(files, name, w) })
		}
		p.templates[w.tag.String()] = templates
	}
	p.matcher = sync.OnceValue(func() language.Matcher { return language.NewMatcher(tags) })
	return p, nil
}

// Check reads all templates and languages, and returns everything that is wrong with them.
func (p *Pages) Check() error {
	problems := []error{compareAll(p.languages)}
	for _, w := range p.languages {
		for _, name := range names {
			if _, err := p.templates[w.tag.String()][name](); err != nil {
				problems = append(problems, fmt.Errorf("page %s: %w", name, err))
			}
		}
	}
	return errors.Join(problems...)
}

// parse reads the page called name in one language. A page that defines a template with its own name is rendered
// without the layout: a person sees it only if its script did not run.
func parse(files fs.FS, name string, w words) (*template.Template, error) {
	parsed, err := template.New("").Funcs(w.funcs()).ParseFS(files, "layout.html", name+".html")
	if err != nil {
		return nil, err
	}
	if own := parsed.Lookup(name); own != nil {
		return own, nil
	}
	return parsed.Lookup("layout"), nil
}

func (w words) funcs() template.FuncMap {
	return template.FuncMap{"t": w.say, "date": w.date, "scope": w.scope, "lang": w.tag.String, "code": withCode}
}

// Route is an endpoint with a page or a form of this provider.
func Route(method, name, path string, serve endpoint.Handler) endpoint.Endpoint {
	return endpoint.Endpoint{Name: name, Path: path, Methods: []string{method}, Audience: endpoint.People, Serve: serve}
}

// Redirect sends the browser to target by GET.
func Redirect(w http.ResponseWriter, r *http.Request, target string) error {
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// Assets serves scripts, styles and pictures. Each path prefix, such as /static/idp/, has a function that returns the
// handler of a file, or nil.
type Assets map[string]func(name string) http.Handler

// Endpoints returns an endpoint for each prefix.
func (a Assets) Endpoints() (all []endpoint.Endpoint) {
	for prefix, handlerOf := range a {
		all = append(all, endpoint.Endpoint{
			Name: endpoint.NameStatic, Path: prefix + "{path...}", Methods: []string{http.MethodGet},
			Audience: endpoint.Visitors, Serve: serveFiles(prefix, handlerOf), Untraced: true,
		})
	}
	return all
}

func serveFiles(prefix string, handlerOf func(string) http.Handler) endpoint.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		file := handlerOf(strings.TrimPrefix(r.URL.Path, prefix))
		if file == nil {
			return endpoint.ErrNotFound
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		file.ServeHTTP(w, r)
		return nil
	}
}

type csrfKey struct{}

// WithCSRF returns the request with the token that the forms of its answer must carry.
func WithCSRF(r *http.Request, token string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), csrfKey{}, token))
}

// Frame is the frame of a page that answers the request. Its CSRF is the token of WithCSRF. Its language is the first
// of ui_locales or of Accept-Language that the provider has texts for (Core §3.1.2.1).
func (p *Pages) Frame(r *http.Request, issuer string) Frame {
	token, _ := r.Context().Value(csrfKey{}).(string)
	params := r.Form
	if params == nil {
		params, _ = oidc.ParseQuery(r.URL.RawQuery)
	}
	return Frame{Language: p.Language(r, params.Get("ui_locales")), Issuer: issuer, CSRF: token}
}

// Policy lists the permissions of a page beyond the default: no resources of other origins, no framing.
type Policy struct {
	FormsLeave bool     // a form of the page may end at an application, by redirects too
	FramedBy   string   // the origin of this URI may frame the page
	Framers    []string // more of them; the port may be *
	Frames     bool     // the page may load applications into frames, and those may redirect
	Connects   bool     // the page's scripts may send requests to this provider
}

// Render writes the page called name in the language of its Frame, with the Content-Security-Policy of policy. The
// server sets the headers that all answers share.
func (p *Pages) Render(w http.ResponseWriter, status int, name string, page any, policy Policy) error {
	in := p.languages[0].tag.String()
	if framed, ok := page.(interface{ language() string }); ok && p.templates[framed.language()] != nil {
		in = framed.language()
	}
	parsed, err := p.templates[in][name]()
	if err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	var body bytes.Buffer
	if err := parsed.Execute(&body, page); err != nil {
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
	_, err = body.WriteTo(w)
	return err
}

// csp is strict: no inline script or style, no foreign source, no frame, no form of another origin.
//
// A page whose form may end at an application has no form-action. CSP Level 3 §6.4.1.1 leaves it to the browser whether
// form-action applies to the redirects after a form, and Chromium applies it to each of them: also to those of the
// application, which may lead to origins that the provider cannot know. Then the browser stays on the page and shows no
// error, though the application has got the code. https://www.w3.org/TR/CSP3/#form-action-pre-navigate
//
// All browsers apply frame-src to redirects too, so a page with frames of applications names no origins there.
func (p Policy) csp() string {
	frameAncestors := "'none'"
	if framers := sources(append([]string{p.FramedBy}, p.Framers...)); framers != "" {
		frameAncestors = framers[1:]
	}
	directives := []string{
		"default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data: https:", "base-uri 'none'",
	}
	if !p.FormsLeave {
		directives = append(directives, "form-action 'self'")
	}
	directives = append(directives, "frame-ancestors "+frameAncestors)
	if p.Connects {
		directives = append(directives, "connect-src 'self'")
	}
	if p.Frames {
		directives = append(directives, "frame-src https: http:")
	}
	return strings.Join(directives, "; ")
}

// sources are the distinct origins of the URIs, each after a space. The port * means all ports of the host.
func sources(uris []string) (list string) {
	for _, uri := range uris {
		origin := cspOrigin(uri)
		if anyPort.MatchString(uri) {
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

// namedHost matches the origins that CSP can name (CSP Level 3 §2.3.1). url.Parse accepts more, even characters that
// would begin another directive.
var namedHost = regexp.MustCompile(`^https?://[a-z0-9.-]+(:[0-9]+)?$`)

// anyPort matches an origin with * as its port.
var anyPort = regexp.MustCompile(`^https?://[a-z0-9.-]+:\*$`)

func cspOrigin(uri string) string {
	if origin := oidc.Origin(uri); namedHost.MatchString(origin) {
		return origin
	}
	return ""
}
