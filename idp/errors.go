package idp

import (
	"errors"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
)

// renderError is the one place where an error becomes an answer: JSON where a program asked, a page where a person did.
// Errors that belong to a client went to it by redirect before they could come here.
func (p *Provider) renderError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, e := p.face(err, c)
	p.watchError(c, e)
	if status == http.StatusServiceUnavailable {
		c.Response().Header().Set(echo.HeaderRetryAfter, "2") // seconds (RFC 9110 §10.2.3)
	}
	if isForPrograms(c.Request().URL.Path) {
		err = c.JSON(status, e)
	} else {
		err = p.renderErrorPage(c, status, e, err)
	}
	if err != nil {
		p.around.Log.Error("an error could not be answered", "error", err.Error())
	}
}

// face finds the status and the OAuth error for what a handler or the router returned.
func (p *Provider) face(err error, c echo.Context) (int, *oidc.Error) {
	_, ours := errors.AsType[*oidc.Error](err)
	failed, ok := errors.AsType[*echo.HTTPError](err)
	if ok && (!ours || failed.Code == http.StatusRequestEntityTooLarge) { // a body may turn out too large while it is read
		return failed.Code, routerError(failed, c)
	}
	e := p.explain(err)
	if tooMany(c, err) {
		return http.StatusTooManyRequests, e
	}
	if e.Code == oidc.AccessDenied && isForPrograms(c.Request().URL.Path) {
		return http.StatusBadRequest, e // a person said no, to a device that asks (RFC 8628 §3.5, RFC 6749 §5.2)
	}
	if c.Request().URL.Path == pathUserinfo && isUnproved(e.Code) {
		return http.StatusUnauthorized, e
	}
	return e.Status(), e
}

// routerError gives words to what the router refuses by itself.
func routerError(failed *echo.HTTPError, c echo.Context) *oidc.Error {
	r := c.Request()
	switch failed.Code {
	case http.StatusNotFound:
		return oidc.InvalidRequest.Errorf("there is nothing at %s; the provider's addresses are listed at %s", r.URL.Path, pathDiscovery)
	case http.StatusMethodNotAllowed:
		return oidc.InvalidRequest.Errorf("%s does not take %s; it takes %s", r.URL.Path, r.Method, c.Response().Header().Get("Allow"))
	case http.StatusRequestEntityTooLarge:
		return oidc.InvalidRequest.Errorf("the request's body is larger than %s", bodyLimit)
	case http.StatusForbidden:
		return oidc.AccessDenied.Errorf("the form was sent from another site: open the provider's page and send it from there")
	case http.StatusInternalServerError:
		return oidc.AsError(failed)
	default:
		return oidc.InvalidRequest.Errorf("%s", http.StatusText(failed.Code))
	}
}

// isForPrograms tells whether a path answers programs, in JSON.
func isForPrograms(path string) bool {
	switch path {
	case pathDiscovery, pathMetadata, pathJWKS, pathToken, pathUserinfo, pathRevoke, pathIntrospect, pathPAR, pathHealth, pathReady:
		return true
	}
	return strings.HasPrefix(path, pathRegister) || path == pathDeviceAuthorization
}

func (p *Provider) renderErrorPage(c echo.Context, status int, e *oidc.Error, cause error) error {
	page := pages.Error{
		Frame:       p.frame(c),
		Kind:        errorKind(status, e, cause),
		Status:      status,
		Code:        string(e.Code),
		Description: strings.TrimSuffix(e.Description, " ["+string(e.Reason)+"]"), // which has a place of its own
		RequestID:   c.Response().Header().Get(echo.HeaderXRequestID),
	}
	if listing, ok := errors.AsType[interface {
		error
		Registered() []string
	}](cause); ok {
		page.Kind, page.Registered = "redirect_unregistered", listing.Registered()
	}
	if exceeded, ok := errors.AsType[*limit.Exceeded](cause); ok {
		page.RetryAfter = exceeded.RetryAfter()
	}
	policy := pages.Policy{}
	if p.development != nil {
		policy.FramedBy = p.help(c, &page, e)
	}
	return p.pages.Render(c.Response(), status, "error", page, policy)
}

// errorKind says which words the page has: a key of error in static/idp/languages.
func errorKind(status int, e *oidc.Error, cause error) string {
	switch {
	case status == http.StatusNotFound:
		return "not_found"
	case status == http.StatusTooManyRequests:
		return "too_many"
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	case status >= http.StatusInternalServerError:
		return "failed"
	case errors.Is(cause, interaction.ErrStale):
		return "stale"
	case e.Code == oidc.AccessDenied:
		return "forged"
	case e.Code == oidc.UnauthorizedClient:
		return "client_unknown"
	}
	return "request"
}
