package idp

import (
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/idp/metrics"
	"github.com/hush-idp/hush/idp/spans"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Observers are whoever measures the provider from outside. Each may be nil.
type Observers struct {
	Metrics *metrics.Metrics
	Spans   *spans.Tracer
}

// store is next as the observers see it.
func (o Observers) store(next storage.Store) storage.Store {
	return o.Spans.Store(o.Metrics.Store(next))
}

// request measures every request to a part of the provider. It stands outside of the access log, which writes the answer of
// an error.
func (o Observers) request(next echo.HandlerFunc) echo.HandlerFunc {
	if o == (Observers{}) {
		return next
	}
	return func(c echo.Context) error {
		endpoint := endpointOf(c.Request().URL.Path)
		if endpoint == "console" { // whose streams last for hours
			return next(c)
		}
		request := o.Metrics.Begin(endpoint)
		r, span := o.Spans.Begin(c.Request(), routeOf(c, endpoint), c.Response().Header().Get(echo.HeaderXRequestID))
		c.SetRequest(r)
		defer func() { // deferred, because a handler may drop the connection by a panic
			status, e := answered(c)
			request.End(status, string(e.Code), string(e.Reason))
			span.End(status, string(e.Code), string(e.Reason))
		}()
		return next(c)
	}
}

// answered is the status of the answer, 0 for none, and the error in it, empty for none.
func answered(c echo.Context) (status int, e oidc.Error) {
	if c.Response().Committed {
		status = c.Response().Status
	}
	if refused, ok := c.Get(refusal).(*oidc.Error); ok {
		e = *refused
	}
	return status, e
}

// refusal is where a request's context keeps the error that is its answer.
const refusal = "hush.refusal"

// noteRefusal tells the observers what the answer says in the end.
func noteRefusal(c echo.Context, e *oidc.Error) { c.Set(refusal, e) }

// routeOf is the pattern that the path fits; what we do not have may be called anything.
func routeOf(c echo.Context, endpoint string) string {
	if endpoint == "other" {
		return endpoint
	}
	return c.Path()
}

// endpointOf is what the observers call a path. The words are few, whatever is asked for.
func endpointOf(path string) string {
	if name := endpointNames[path]; name != "" {
		return name
	}
	for _, room := range []struct{ prefix, name string }{
		{"/static/", "static"}, {"/console", "console"}, {pathReasons, "reasons"}, {interaction.PathConsent + "/", "consent"},
	} {
		if strings.HasPrefix(path, room.prefix) {
			return room.name
		}
	}
	switch path {
	case "/":
		return "home"
	case pathHealth, pathReady:
		return "health"
	case "/metrics":
		return "metrics"
	}
	return "other"
}
