package main

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/hush-idp/hush/static"
)

// pages are the demo's pages. They have no state of a user: the scripts fetch it.
type pages struct {
	config config
	texts  texts
	parsed map[string]*template.Template
}

// page is the data of a template.
type page struct {
	Title, Path     string
	Issuer, BaseURL string
	Places          []place // the layouts to choose from
	IDToken         token
	AccessToken     token
	Lessons         []lesson
	Problem         string // of the error page
}

// standalone pages have no layout: they run in hidden iframes and should load fast.
var standalone = []string{"callback", "silent_callback", "lesson_app", "lesson_silent", "lesson_codes"}

func newPages(c config, files assets) (*pages, error) {
	texts, err := readTexts()
	if err != nil {
		return nil, err
	}
	p := &pages{config: c, texts: texts, parsed: map[string]*template.Template{}}
	empty := func() *template.Template {
		return template.New("").Funcs(template.FuncMap{"versioned": files.versioned, "modules": modules, "inline": inline})
	}
	for _, name := range []string{"landing", "slow", "spa", "web", "both", "tokens", "lessons", "error", "nodocs"} {
		parsed, err := empty().ParseFS(static.Demo(), "pages/layout.html", "pages/parts.html", "pages/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.parsed[name] = parsed.Lookup("layout")
	}
	for _, name := range standalone {
		parsed, err := empty().ParseFS(static.Demo(), "pages/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.parsed[name] = parsed.Lookup(name + ".html")
	}
	return p, nil
}

func (p *pages) routes(e *echo.Echo) {
	e.GET("/", p.show("landing", page{Title: "Start"}))
	e.GET("/slow/", p.show("slow", page{Title: "Slow motion"}))
	e.GET("/spa/", p.show("spa", p.texts.SPA.page()))
	e.GET("/spa/callback.html", p.show("callback", page{}))
	e.GET("/web/", p.show("web", p.texts.Web.page()))
	e.GET("/web/silent-callback", p.show("silent_callback", page{}))
	e.GET("/both/", p.show("both", page{Title: "The two ways"}))
	e.GET("/tokens/", p.show("tokens", page{Title: "Refresh token or hidden iframe"}))
	p.lessonRoutes(e)
	for _, path := range []string{"/slow", "/spa", "/web", "/both", "/tokens", "/lessons"} {
		e.GET(path, func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, path+"/") })
	}
}

// lessonRoutes mounts the lessons and their wrong callback pages: a page with an unregistered address, a page that
// starts an app, a page that does nothing, a page that ignores errors.
func (p *pages) lessonRoutes(e *echo.Echo) {
	e.GET("/lessons/", p.show("lessons", page{Title: "Lessons", Lessons: p.texts.Lessons}))
	e.GET("/lessons/callback.html", p.show("callback", page{}))
	e.GET("/lessons/silent.html", p.show("lesson_silent", page{}))
	e.GET("/lessons/codes.html", p.show("lesson_codes", page{}))
	e.GET("/lessons/app.html", p.show("lesson_app", page{}), sendReferrer)
}

// show serves a page, compressed unless it fits into one packet. No page has a secret that its length could tell.
func (p *pages) show(name string, data page) echo.HandlerFunc {
	return middleware.GzipWithConfig(middleware.GzipConfig{MinLength: 1400})(func(c echo.Context) error {
		data := data
		data.Path = c.Request().URL.Path
		return p.render(c, http.StatusOK, name, data)
	})
}

// render writes the page once it is complete, so that a failing template sends no partial page.
func (p *pages) render(c echo.Context, status int, name string, data page) error {
	data.Issuer, data.BaseURL, data.Places = p.config.Issuer, p.config.BaseURL, p.config.places()
	var html bytes.Buffer
	if err := p.parsed[name].Execute(&html, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.HTMLBlob(status, html.Bytes())
}

// showError answers a browser with a page and other clients with JSON. Internal errors are logged, not shown.
func (p *pages) showError(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		status := http.StatusInternalServerError
		if refused, ok := errors.AsType[*echo.HTTPError](err); ok {
			status = refused.Code
		} else {
			log.ErrorContext(c.Request().Context(), "request failed", "error", err)
		}
		if err := p.problem(c, status); err != nil {
			log.ErrorContext(c.Request().Context(), "error page failed", "error", err)
		}
	}
}

func (p *pages) problem(c echo.Context, status int) error {
	if !strings.Contains(c.Request().Header.Get("Accept"), "text/html") {
		return answer(c, status, map[string]string{"error": http.StatusText(status)})
	}
	texts := map[int]string{
		http.StatusNotFound:            "There is nothing at this address",
		http.StatusMethodNotAllowed:    "This address does not accept this method",
		http.StatusInternalServerError: "The demo failed; its log says why",
	}
	problem := cmp.Or(texts[status], http.StatusText(status))
	return p.render(c, status, "error", page{Title: http.StatusText(status), Problem: problem})
}

//go:embed texts.yaml
var textsYAML []byte

// texts are the texts of the pages: texts.yaml.
type texts struct {
	SPA     appTexts `yaml:"spa"`
	Web     appTexts `yaml:"web"`
	Lessons []lesson `yaml:"lessons"`
}

// appTexts are the texts of one app: its title and the captions of its tokens.
type appTexts struct {
	Title       string `yaml:"title"`
	IDToken     string `yaml:"id_token"`
	AccessToken string `yaml:"access_token"`
}

// token is the text around a decoded token.
type token struct{ ID, Title, Text string }

func (t appTexts) page() page {
	return page{
		Title:       t.Title,
		IDToken:     token{"id-token", "ID token", t.IDToken},
		AccessToken: token{"access-token", "Access token", t.AccessToken},
	}
}

// lesson is a way in which silent renewal fails. The element ids of its card are lesson-ID, lesson-ID-cause,
// lesson-ID-fix.
type lesson struct {
	ID, Title, Reports, Happens, Cause, Reason, Know, Fix, Apply string

	Spec      []link
	Simulated string // what the failure lab makes up; empty: everything is real
	Choices   []choice
}

// link leads to a section of a specification or to the documentation of a library.
type link struct{ Name, URL string }

// choice is one of several causes in a lesson. Reason is its reason if it differs from the lesson's; "none" is no
// reason.
type choice struct{ ID, Label, Reason string }

func readTexts() (t texts, err error) {
	return t, yaml.UnmarshalWithOptions(textsYAML, &t, yaml.Strict())
}
