package main

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/static"
)

// pages are the demo's pages. They hold no state of a person: the scripts ask for that.
type pages struct {
	config config
	parsed map[string]*template.Template
}

// page is what a template gets.
type page struct {
	Title, Path     string
	Issuer, BaseURL string
	Places          []place // the layouts to choose from
	Steps           []step
	IDToken         token
	AccessToken     token
	Lessons         []lesson
	Problem         string // of the error page
}

// step is one of the four steps of a silent renewal: what happens, and why so.
type step struct {
	N            int
	Caption, Why string
}

// token is the words around a decoded token.
type token struct{ ID, Title, Text string }

// standalone pages do without the layout: they run unseen, and should cost little.
var standalone = []string{"callback", "silent_callback", "lesson_app", "lesson_silent"}

func newPages(c config) (*pages, error) {
	p := &pages{config: c, parsed: map[string]*template.Template{}}
	for _, name := range []string{"landing", "spa", "web", "both", "tokens", "lessons", "error"} {
		parsed, err := template.ParseFS(static.Demo(), "pages/layout.html", "pages/parts.html", "pages/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.parsed[name] = parsed.Lookup("layout")
	}
	for _, name := range standalone {
		parsed, err := template.ParseFS(static.Demo(), "pages/"+name+".html")
		if err != nil {
			return nil, err
		}
		p.parsed[name] = parsed
	}
	return p, nil
}

func (p *pages) routes(e *echo.Echo) {
	e.GET("/", p.show("landing", page{Title: "Start"}))
	e.GET("/spa/", p.show("spa", spaPage()))
	e.GET("/spa/callback.html", p.show("callback", page{}))
	e.GET("/web/", p.show("web", webPage()))
	e.GET("/web/silent-callback", p.show("silent_callback", page{}))
	e.GET("/both/", p.show("both", page{Title: "The two ways"}))
	e.GET("/tokens/", p.show("tokens", page{Title: "Refresh token or hidden iframe"}))
	p.lessonRoutes(e)
	for _, path := range []string{"/spa", "/web", "/both", "/tokens", "/lessons"} {
		e.GET(path, func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, path+"/") })
	}
}

// lessonRoutes are the lessons and the callback pages that they go wrong with: one whose address nobody registered, one that
// boots an app, one that does nothing.
func (p *pages) lessonRoutes(e *echo.Echo) {
	e.GET("/lessons/", p.show("lessons", page{Title: "Lessons", Lessons: lessons}))
	e.GET("/lessons/callback.html", p.show("callback", page{}))
	e.GET("/lessons/silent.html", p.show("lesson_silent", page{}))
	e.GET("/lessons/app.html", p.show("lesson_app", page{}), tellReferrer)
}

func (p *pages) show(name string, data page) echo.HandlerFunc {
	return func(c echo.Context) error {
		data := data
		data.Path = c.Request().URL.Path
		return p.render(c, http.StatusOK, name, data)
	}
}

// render writes the page when it is complete, so that a failing template leaves no half of one.
func (p *pages) render(c echo.Context, status int, name string, data page) error {
	data.Issuer, data.BaseURL, data.Places = p.config.Issuer, p.config.BaseURL, p.config.places()
	var html bytes.Buffer
	if err := p.parsed[name].Execute(&html, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	c.Response().Header().Set("Cache-Control", "no-cache")
	return c.HTMLBlob(status, html.Bytes())
}

// showError answers a browser with a page and everybody else with JSON. What went wrong inside is for the log only.
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
	words := map[int]string{
		http.StatusNotFound:            "There is nothing at this address",
		http.StatusMethodNotAllowed:    "This address is not for opening like this",
		http.StatusInternalServerError: "The demo failed; its log says why",
	}
	text := words[status]
	if text == "" {
		text = http.StatusText(status)
	}
	return p.render(c, status, "error", page{Title: http.StatusText(status), Problem: text})
}
