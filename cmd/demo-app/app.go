package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// maxBody bounds a request's body, in bytes. The largest expected one is an authorization response.
const maxBody = 64 << 10

// newApp returns the whole demo as one handler, for every layout. self is its address for this process: the server-side
// app calls the API over HTTP. newApp makes no network call, so the provider may start later.
func newApp(c config, self string, log *slog.Logger) (http.Handler, error) {
	all := sites{byHost: map[string]http.Handler{}, first: hostOf(c.BaseURL)}
	for _, here := range c.everywhere() {
		site, err := newSite(here, self, log)
		if err != nil {
			return nil, err
		}
		all.byHost[hostOf(here.BaseURL)] = site
	}
	return headAsGet(http.MaxBytesHandler(all, maxBody)), nil
}

// newSite returns the demo in one layout.
func newSite(c config, self string, log *slog.Logger) (http.Handler, error) {
	party, err := rp.New(c.relyingParty(log))
	if err != nil {
		return nil, err
	}
	resource, err := rp.NewResource(c.resource(log))
	if err != nil {
		return nil, err
	}
	files := newAssets()
	pages, err := newPages(c, files)
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HTTPErrorHandler = pages.showError(log)
	e.Use(withRequestID, logRequests(log), securityHeaders(c.Issuer))
	pages.routes(e)
	files.routes(e)
	docs{folder: c.Docs, pages: pages}.routes(e)
	routeWeb(e, webApp{party: party, api: self + "/api/me", host: hostOf(c.BaseURL)})
	e.GET("/api/me", echo.WrapHandler(resource.Require(apiScope)(http.HandlerFunc(me))))
	e.GET("/config.json", func(ec echo.Context) error { return answer(ec, http.StatusOK, c.spa()) })
	e.GET("/healthz", func(ec echo.Context) error { return ec.String(http.StatusOK, "ok\n") })
	return e, nil
}

// routeWeb mounts the handlers of package rp and of the server-side app.
func routeWeb(e *echo.Echo, web webApp) {
	mux := http.NewServeMux()
	web.party.Mount(mux, "/web")
	e.Any("/web/*", func(c echo.Context) error {
		if _, pattern := mux.Handler(c.Request()); pattern == "" {
			return echo.ErrNotFound
		}
		mux.ServeHTTP(c.Response(), c.Request())
		return nil
	})
	e.GET("/web/session", web.session)
	e.GET("/web/call-api", web.callAPI)
}

// answer sends JSON outside caches.
func answer(c echo.Context, status int, body any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, body)
}

// securityHeaders allow scripts and styles of this origin, the scripts in the callback pages, and fetches and hidden
// iframes of this origin and of the provider. There is no form-action: Chromium applies it to each redirect after the
// sign-out form, and the provider may redirect on to any origin.
func securityHeaders(issuer string) echo.MiddlewareFunc {
	provider := oidc.Origin(issuer)
	policy := "default-src 'none'; script-src 'self'" + inlineHashes() + "; " +
		"style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self' " + provider + "; frame-src 'self' " + provider + "; " +
		"frame-ancestors 'self'; base-uri 'none'"
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			header := c.Response().Header()
			header.Set("Content-Security-Policy", policy)
			header.Set("X-Content-Type-Options", "nosniff")
			header.Set("Referrer-Policy", "no-referrer") // the address of a callback holds a code
			return next(c)
		}
	}
}

// sendReferrer makes requests of the page carry a full Referer, an old default of browsers. That can send a code to
// another server, so only the lesson about it uses this.
func sendReferrer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Referrer-Policy", "no-referrer-when-downgrade")
		return next(c)
	}
}

// headAsGet answers HEAD like GET (RFC 9110 §9.3.2). The server sends no body, because its own request still says HEAD.
func headAsGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			r = r.Clone(r.Context())
			r.Method = http.MethodGet
		}
		next.ServeHTTP(w, r)
	})
}

type requestIDKey struct{}

// withRequestID puts an id into the request's context, for the log, and into the answer, for reports of failures.
func withRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := rand.Text()
		c.Response().Header().Set("X-Request-Id", id)
		c.SetRequest(c.Request().WithContext(context.WithValue(c.Request().Context(), requestIDKey{}, id)))
		return next(c)
	}
}

// logRequests logs each request. The path is logged without its query, which has a code at a callback.
func logRequests(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			if err := next(c); err != nil {
				c.Error(err) // writes the answer, which sets its status
			}
			log.DebugContext(c.Request().Context(), "request", "method", c.Request().Method, "path", c.Request().URL.Path,
				"status", c.Response().Status, "duration", time.Since(start))
			return nil
		}
	}
}

func newLog(c config, out io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(withID{slog.NewJSONHandler(out, options)})
	}
	return slog.New(withID{slog.NewTextHandler(out, options)})
}

// withID adds the request's id to each log record that has its context.
type withID struct{ slog.Handler }

// Handle implements slog.Handler.
func (h withID) Handle(ctx context.Context, record slog.Record) error {
	if id, ok := ctx.Value(requestIDKey{}).(string); ok {
		record.AddAttrs(slog.String("request_id", id))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h withID) WithAttrs(attrs []slog.Attr) slog.Handler { return withID{h.Handler.WithAttrs(attrs)} }

// WithGroup implements slog.Handler.
func (h withID) WithGroup(name string) slog.Handler { return withID{h.Handler.WithGroup(name)} }
