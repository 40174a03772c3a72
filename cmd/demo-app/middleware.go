package main

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/oidc"
)

// securityHeaders allow scripts and styles of this origin, fetches and hidden iframes of this origin and of the
// provider. form-action has the provider too, because the sign-out form is redirected there and Chromium applies it to
// redirects.
func securityHeaders(issuer string) echo.MiddlewareFunc {
	provider := oidc.Origin(issuer)
	policy := "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
		"connect-src 'self' " + provider + "; frame-src 'self' " + provider + "; form-action 'self' " + provider + "; " +
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

// tellReferrer makes requests of the page carry a full Referer, an old default of browsers. That can tell a code to
// another server, so only the lesson about it uses this.
func tellReferrer(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Referrer-Policy", "no-referrer-when-downgrade")
		return next(c)
	}
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
