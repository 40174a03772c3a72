package idp

import (
	"cmp"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// renderError writes the answer for an error: JSON for a program, a page for a person. It does not get an error that
// was sent to the client by redirect.
func (s *server) renderError(c echo.Context, served endpoint.Endpoint, err error) {
	if c.Response().Committed {
		return
	}
	status, e := s.explain(c, served, err)
	endpoint.Refuse(c.Response(), e)
	setErrorHeaders(c.Response().Header(), served, status, e, s.issuer.String())
	if isInJSON(served, c.Request()) {
		err = oidc.WriteJSON(c.Response(), status, e)
	} else {
		err = s.renderErrorPage(c, status, e, err)
	}
	if err != nil {
		s.log.Error("an error could not be answered", "error", err.Error())
	}
}

// explain returns the status and the OAuth error for an error of a handler or of the router.
func (s *server) explain(c echo.Context, served endpoint.Endpoint, err error) (int, *oidc.Error) {
	if errors.Is(err, endpoint.ErrNotFound) {
		err = echo.ErrNotFound
	}
	if e := endpoint.TooLarge(err); e != nil { // a handler may have made another error of it
		return http.StatusRequestEntityTooLarge, e
	}
	_, ours := errors.AsType[*oidc.Error](err)
	if failed, ok := errors.AsType[*echo.HTTPError](err); ok && !ours {
		return failed.Code, routerError(failed, c, s.base)
	}
	e := s.errors.Explain(c.Request().Context(), err)
	if exceeded, ok := errors.AsType[*limit.Exceeded](err); ok {
		// RFC 6585 §4: the answer MAY say how long to wait, and MUST NOT be stored by a cache.
		c.Response().Header().Set("Cache-Control", "no-store")
		c.Response().Header().Set(echo.HeaderRetryAfter, strconv.Itoa(exceeded.RetryAfter()))
		return http.StatusTooManyRequests, e
	}
	if errors.Is(err, endpoint.ErrMisdirected) {
		return http.StatusMisdirectedRequest, e
	}
	if isUnproved(e.Code) && c.Response().Header().Get(echo.HeaderWWWAuthenticate) != "" {
		return http.StatusUnauthorized, e // a resource requires a proof (RFC 9449 §7.1 and §9)
	}
	if e.Code == oidc.AccessDenied && served.IsForPrograms() {
		return http.StatusBadRequest, e // the user refused the device's request (RFC 8628 §3.5, RFC 6749 §5.2)
	}
	return e.Status(), e
}

// setErrorHeaders adds the headers that the status and the error code require.
func setErrorHeaders(h http.Header, served endpoint.Endpoint, status int, e *oidc.Error, issuer string) {
	if status == http.StatusServiceUnavailable {
		h.Set(echo.HeaderRetryAfter, "2") // seconds (RFC 9110 §10.2.3)
	}
	if e.Code == oidc.InvalidClient && served.IsForPrograms() && h.Get(echo.HeaderWWWAuthenticate) == "" {
		h.Set(echo.HeaderWWWAuthenticate, clientauth.Challenge(issuer)) // RFC 6749 §5.2
	}
}

// routerError describes an error of the router itself.
func routerError(failed *echo.HTTPError, c echo.Context, base endpoint.Base) *oidc.Error {
	r, path := c.Request(), string(base)+c.Request().URL.Path
	switch failed.Code {
	case http.StatusNotFound:
		return oidc.InvalidRequest.Errorf("there is nothing at %s; the provider's addresses are listed at %s",
			path, string(base)+discovery.Path)
	case http.StatusMethodNotAllowed:
		return oidc.InvalidRequest.Errorf(
			"%s does not take %s; it takes %s", path, r.Method, c.Response().Header().Get("Allow"),
		)
	case http.StatusForbidden:
		return oidc.AccessDenied.Errorf("another site sent the form: open the provider's page and send it from there")
	case http.StatusInternalServerError:
		return oidc.AsError(failed)
	default:
		return oidc.InvalidRequest.Errorf("%s", http.StatusText(failed.Code))
	}
}

func (s *server) renderErrorPage(c echo.Context, status int, e *oidc.Error, cause error) error {
	page := pages.Error{
		Frame:       s.pages.Frame(c.Request(), s.issuer.String()),
		Kind:        errorKind(status, e, cause),
		Status:      status,
		Code:        string(e.Code),
		Description: strings.TrimSuffix(e.Description, " ["+string(e.Reason)+"]"), // the page shows the reason elsewhere
		RequestID:   c.Response().Header().Get(echo.HeaderXRequestID),
	}
	if listing, ok := errors.AsType[interface {
		error
		Registered() []string
	}](cause); ok {
		page.Kind, page.Registered = "redirect_unregistered", listing.Registered()
	}
	asking, err := s.clients.ByID(c.Request().Context(), c.Request().PostForm.Get("app")) // a field of our forms
	if page.Kind == "stale" && err == nil {
		app := pages.NewApp(*asking, s.issuer.String())
		if app.URL = cmp.Or(app.URL, asking.ClientURI); app.URL != "" {
			page.Again = &app
		}
	}
	if exceeded, ok := errors.AsType[*limit.Exceeded](cause); ok {
		page.RetryAfter = exceeded.RetryAfter()
	}
	policy := pages.Policy{}
	if s.site != nil {
		policy.FramedBy = s.site.Help(c.Request(), &page, e)
		policy.FormsLeave = page.Remedy != nil // its form goes on with the request
	}
	return s.pages.Render(c.Response(), status, page, policy)
}

// errorKind returns the key of the page's texts, below error in static/idp/languages.
func errorKind(status int, e *oidc.Error, cause error) string {
	switch {
	case status == http.StatusNotFound:
		return "not_found"
	case status == http.StatusMisdirectedRequest:
		return "misdirected"
	case status == http.StatusTooManyRequests:
		return "too_many"
	case errors.Is(cause, users.ErrBusy):
		return "busy"
	case status == http.StatusServiceUnavailable:
		return "unavailable"
	case status >= http.StatusInternalServerError:
		return "failed"
	case errors.Is(cause, session.ErrStale):
		return "stale"
	case e.Code == oidc.AccessDenied:
		return "forged"
	case e.Code == oidc.UnauthorizedClient:
		return "client_unknown"
	}
	return "request"
}

// isUnproved tells whether the error says that a DPoP proof is missing or wrong.
func isUnproved(code oidc.ErrorCode) bool {
	return code == oidc.InvalidDPoPProof || code == oidc.UseDPoPNonce
}
