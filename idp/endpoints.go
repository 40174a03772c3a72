package idp

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/trace"
)

// serveAuthorize is GET and POST /authorize. The redirect is a 303, so that a POST, which may carry credentials in another
// life of this endpoint, never arrives at the client as one (RFC 9700 §4.12).
func (p *site) serveAuthorize(c echo.Context) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	outcome, err := p.authorize.Authorize(c.Request())
	if outcome.Looked {
		p.sessions.Show(c.Response(), c.Request(), outcome.Session)
	}
	if outcome.Refused != nil {
		endpoint.Refuse(c.Response(), p.errors().Explain(outcome.Refused))
	}
	switch {
	case err != nil:
		return err
	case outcome.Form != nil:
		return p.renderFormPost(c, *outcome.Form)
	case outcome.Message != nil:
		return p.renderMessage(c, *outcome.Message)
	case outcome.Screen != "":
		return c.Redirect(http.StatusSeeOther, outcome.Screen)
	}
	return c.Redirect(http.StatusSeeOther, outcome.Redirect)
}

// renderFormPost writes the page that posts itself. Under prompt=none it is shown in the client's hidden iframe.
func (p *site) renderFormPost(c echo.Context, form authorize.Form) error {
	policy := pages.Policy{FormAction: form.Action}
	if form.Silent {
		policy.FramedBy = form.Action
	}
	trace.From(c.Request().Context()).Set(func(record *trace.Record) { record.Answer = trace.Params(form.Values) })
	page := pages.NewFormPost(p.pages.Frame(c.Request(), p.config.Issuer), form.Action, form.Values)
	return p.pages.Render(c.Response(), http.StatusOK, "form_post", page, policy)
}

// readiness is GET /readyz: requests can be answered, and if not, why.
func (p *site) readiness(c echo.Context) error {
	err := p.ready()
	if err == nil && p.deps.Usable != nil {
		err = p.deps.Usable(c.Request().Context())
	}
	if err != nil {
		return c.JSON(http.StatusServiceUnavailable, map[string]string{"status": "unavailable", "reason": err.Error()})
	}
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

// health is GET /healthz: the process is alive.
func (p *site) health(c echo.Context) error {
	return c.JSON(http.StatusOK, map[string]string{"status": "ok"})
}
