// Package pages renders the pages that people see. It has their HTML, their data, and the headers that prevent framing
// and scripting by other sites. Its callers decide the contents of a page.
//
//	Language(r, ui_locales) ──► Frame.Language ──┐
//	the data of a page, such as Login ───────────┴─► Render ──► its HTML in that language ──► headers and HTML
//
// The HTML of a page is in a file such as login.templ, which make generate translates to Go: login_templ.go. It escapes
// each value for its place: a text, an attribute, or a URL, where it refuses the scheme javascript.
//
// The .templ files contain no texts: static/idp/languages has a file for each language, by keys such as login.title. A
// new language is a new file there; a new text is a line in each file. Check refuses languages whose keys differ. The
// texts of a language are read when the first answer needs them: a start does not wait for them.
//
// Where teaching ends: names from apps and from the configuration, and texts for developers, are in one language.
package pages

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io/fs"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// Pages renders the provider's pages.
type Pages struct {
	languages []dictionary // English first
	matcher   func() language.Matcher
	bridge    func() ([]byte, error) // the script of the page Bridge, read once
}

// New returns the pages with the texts in the folder languages of files. It reads only the names of the languages;
// Check reads all.
func New(files fs.FS) (p *Pages, err error) {
	p = &Pages{bridge: sync.OnceValues(func() ([]byte, error) { return fs.ReadFile(files, "bridge.js") })}
	if p.languages, err = listLanguages(files); err != nil {
		return nil, err
	}
	tags := make([]language.Tag, len(p.languages))
	for i, one := range p.languages {
		tags[i] = one.tag
	}
	p.matcher = sync.OnceValue(func() language.Matcher { return language.NewMatcher(tags) })
	return p, nil
}

// Check reads all languages, and returns everything that is wrong with them.
func (p *Pages) Check() error { return compareAll(p.languages) }

// words are the texts in the language; English if there is none.
func (p *Pages) words(tag string) (words, error) {
	i := slices.IndexFunc(p.languages, func(one dictionary) bool { return one.tag.String() == tag })
	return p.languages[max(i, 0)].read()
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

type (
	labKey         struct{}
	developmentKey struct{}
)

// Development is what the frame shows in development mode.
type Development struct {
	Demo string // the URL of the demo app; empty: it does not run
}

// WithDevelopment returns the request whose page is one of development mode: it leads to the pages for developers.
func WithDevelopment(r *http.Request, shown Development) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), developmentKey{}, &shown))
}

// WithLab returns the request whose page tells what the failure lab does.
func WithLab(r *http.Request, shown *Lab) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), labKey{}, shown))
}

// Frame is the frame of a page that answers the request. Its CSRF is the token of WithCSRF. Its language is the first
// of ui_locales or of Accept-Language that the provider has texts for (Core §3.1.2.1).
func (p *Pages) Frame(r *http.Request, issuer string) Frame {
	token, _ := r.Context().Value(csrfKey{}).(string)
	params := r.Form
	if params == nil {
		params, _ = oidc.ParseQuery(r.URL.RawQuery)
	}
	lab, _ := r.Context().Value(labKey{}).(*Lab)
	development, _ := r.Context().Value(developmentKey{}).(*Development)
	return Frame{
		Language: p.Language(r, params.Get("ui_locales")), Issuer: issuer, CSRF: token, Lab: lab,
		Development: development,
	}
}

// Policy lists the permissions of a page beyond the default: no resources of other origins, no framing.
type Policy struct {
	FormsLeave bool     // a form of the page may end at an application, by redirects too
	FramedBy   string   // the origin of this URI may frame the page
	Script     string   // the only script that may run, instead of the provider's files
	Framers    []string // more of them; the port may be *
	Frames     bool     // the page may load applications into frames, and those may redirect
	Connects   bool     // the page's scripts may send requests to this provider
	FramesOwn  bool     // the page may load pages of this provider into frames
}

// Render writes the page in the language of its Frame, with the HTTP status and the Content-Security-Policy of policy.
// The server sets the headers that all answers share. After an error nothing is sent.
func (p *Pages) Render(w http.ResponseWriter, status int, page Page, policy Policy) error {
	in, err := p.words(page.language())
	if err != nil {
		return err
	}
	in.base = page.At("")
	var body bytes.Buffer
	if err := page.html(in).Render(context.Background(), &body); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", in.tag.String())
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

// csp is strict: no inline script but Script, no inline style, no foreign source, no frame, no form of another origin.
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
	scripts := "'self'"
	if p.Script != "" {
		hash := sha256.Sum256([]byte(p.Script))
		scripts = "'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"
	}
	directives := []string{
		"default-src 'none'", "script-src " + scripts, "style-src 'self'", "img-src 'self' data: https:", "base-uri 'none'",
	}
	if !p.FormsLeave {
		directives = append(directives, "form-action 'self'")
	}
	directives = append(directives, "frame-ancestors "+frameAncestors)
	if p.Connects {
		directives = append(directives, "connect-src 'self'")
	}
	switch {
	case p.FramesOwn:
		directives = append(directives, "frame-src 'self'")
	case p.Frames:
		directives = append(directives, "frame-src https: http:")
	}
	return strings.Join(directives, "; ")
}

// sources are the distinct origins of the URIs, each after a space. The port * means all ports of the host.
func sources(uris []string) (list string) {
	for _, uri := range uris {
		origin := FramingOrigin(uri)
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

// FramingOrigin is the origin of the URI, as a Policy can name it; empty for a URI without a host, or with an IPv6
// address.
func FramingOrigin(uri string) string {
	if origin := oidc.Origin(uri); namedHost.MatchString(origin) {
		return origin
	}
	return ""
}
