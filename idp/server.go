package idp

import (
	"cmp"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// server answers HTTP for the endpoints of one issuer. This file alone knows the web framework.
type server struct {
	issuer    *url.URL
	base      endpoint.Base // of issuer
	loopback  bool
	log       *slog.Logger
	now       func() time.Time
	errors    endpoint.Errors
	pages     *pages.Pages
	observers []Observer
	site      DevelopmentSite     // nil without development mode
	clients   *clients.Register   // scripts of their origins may read answers to Programs
	csrfName  string              // of the cookie
	methods   map[string][]string // by path
}

// unknown is the endpoint of all paths that have no endpoint of their own.
var unknown = endpoint.Endpoint{Name: "other", Audience: endpoint.People, Untraced: true}

// mount returns the handler of the endpoints. All middleware of an endpoint is chosen and composed here, once: the
// framework would compose its own middleware again for each request.
func (s *server) mount(endpoints []endpoint.Endpoint) http.Handler {
	router, at := echo.New(), map[string]endpoint.Endpoint{}
	for _, e := range endpoints {
		at[patternOf(e.Path)] = e
		s.methods[e.Path] = append(s.methods[e.Path], e.Methods...)
	}
	for _, e := range endpoints {
		pattern, handle := patternOf(e.Path), serve(e, s.site)
		if e.Audience == endpoint.People {
			handle = csrf(s.csrfName, s.base, s.issuer.Scheme == "https")(handle)
		}
		methods := e.Methods
		if own := s.methods[e.Path]; !slices.Contains(own, http.MethodOptions) { // the console answers its preflights itself
			methods, handle = append(slices.Clip(methods), http.MethodOptions), withOptions(own, handle)
		}
		handle = s.exchange(e, handle)
		for _, method := range methods {
			router.Add(method, pattern, handle)
		}
	}
	// Handlers of endpoints return no errors, so an error here is the router's: no such path, or no such method there.
	router.HTTPErrorHandler = func(err error, c echo.Context) {
		e, ok := at[c.Path()]
		if !ok {
			e = unknown
		}
		_ = s.exchange(e, func(echo.Context) error { return err })(c) // returns nil always
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		router.ServeHTTP(&answer{ResponseWriter: w}, r)
	})
}

// withOptions answers a request with method OPTIONS that is no preflight of a script that may read the answer (RFC 9110
// §9.3.7). It must not reach the endpoint or its limit.
func withOptions(methods []string, next echo.HandlerFunc) echo.HandlerFunc {
	allow := strings.Join(append(slices.Clip(methods), http.MethodOptions), ", ")
	return func(c echo.Context) error {
		if c.Request().Method != http.MethodOptions {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderAllow, allow)
		return c.NoContent(http.StatusNoContent)
	}
}

// patternOf translates a path to echo's syntax: {name} is :name, and a final {path...} is *.
func patternOf(path string) string {
	path = strings.ReplaceAll(path, "{path...}", "*")
	return strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")
}

// isInJSON tells whether an error of the endpoint is JSON.
func isInJSON(e endpoint.Endpoint, r *http.Request) bool {
	return e.IsForPrograms() || e.Audience == endpoint.UserAgents ||
		e.Audience == endpoint.Developers && !endpoint.ShowsPage(r)
}

// exchange is the outermost middleware of an endpoint: it calls the observers, writes the log line, and writes the
// answer for an error.
func (s *server) exchange(e endpoint.Endpoint, next echo.HandlerFunc) echo.HandlerFunc {
	next = middleware.RecoverWithConfig(middleware.RecoverConfig{DisableErrorHandler: true})(next)
	if e.IsForPrograms() {
		next = s.cors(e, next)
	}
	headers := headersOf(e, s.issuer.Scheme == "https" && !s.loopback)
	return func(c echo.Context) error {
		id, start := requestID(c), s.now()
		r := c.Request().WithContext(storage.WithBudget(c.Request().Context()))
		ends := make([]func(endpoint.Outcome), len(s.observers))
		for i, observer := range s.observers {
			r, ends[i] = observer.Request(e, id, r)
		}
		c.SetRequest(r)
		maps.Copy(c.Response().Header(), headers)
		var failure error
		defer func() { // deferred, because a handler may drop the connection by a panic
			outcome := outcomeOf(c)
			outcome.Took = s.now().Sub(start)
			for _, end := range slices.Backward(ends) {
				end(outcome)
			}
			s.logRequest(c, outcome, failure)
		}()
		if failure = next(c); failure != nil {
			s.renderError(c, e, failure)
		}
		return nil
	}
}

// requestID returns the request ID that a proxy sent, if it is well-formed, or else a new one. A request ID has to be
// unique and need not be secret, so its random number is not made for cryptography.
func requestID(c echo.Context) string {
	id := c.Request().Header.Get(echo.HeaderXRequestID)
	if id == "" || len(id) > 128 || !oidc.IsMadeOf(id, oidc.LettersAndDigits+"._:/+=-") {
		id = strconv.FormatUint(rand.Uint64(), 36)
	}
	c.Response().Header().Set(echo.HeaderXRequestID, id)
	return id
}

// headersOf returns the headers that every answer of an endpoint has; a page replaces the Content-Security-Policy by
// its own. All answers share the values.
func headersOf(e endpoint.Endpoint, public bool) http.Header {
	h := http.Header{
		"Content-Security-Policy": {"default-src 'none'; frame-ancestors 'none'"},
		"X-Frame-Options":         {"DENY"}, "X-Content-Type-Options": {"nosniff"}, "Referrer-Policy": {"no-referrer"},
	}
	if public {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
	if e.Audience == endpoint.Programs || e.Audience == endpoint.UserAgents {
		h.Set("Cache-Control", "no-store") // RFC 6749 §5.1
		h.Set("Pragma", "no-cache")
	}
	return h
}

// cors decides for each request whether scripts of its origin may read the answer, also an error.
func (s *server) cors(e endpoint.Endpoint, next echo.HandlerFunc) echo.HandlerFunc {
	unreadable, readable := s.readable(e, false)(next), s.readable(e, true)(next)
	restricted := s.readable(e, true, "Authorization", "Content-Type")(next)
	return func(c echo.Context) error {
		switch r := c.Request(); {
		case !s.isReadable(e, r):
			return unreadable(c)
		case isHeaderNames(r.Header.Get(echo.HeaderAccessControlRequestHeaders)):
			return readable(c)
		}
		return restricted(c)
	}
}

// readable lets scripts of every origin read the answers, or of none. They may send these headers, any header if there
// is no list, and the browser's cookies, which change no answer. It also adds Vary: Origin, because a cache must not
// give the answer to a script of another origin.
func (s *server) readable(e endpoint.Endpoint, readable bool, headers ...string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		AllowOriginFunc: func(string) (bool, error) { return readable, nil },
		AllowMethods:    s.methods[e.Path], AllowHeaders: headers, AllowCredentials: true, MaxAge: 600,
		ExposeHeaders: []string{"WWW-Authenticate", dpop.HeaderNonce, echo.HeaderRetryAfter, echo.HeaderXRequestID},
	})
}

// isReadable tells whether scripts of the request's origin may read the answer: scripts of clients' origins may, and
// scripts of all origins if the endpoint is public.
func (s *server) isReadable(e endpoint.Endpoint, r *http.Request) bool {
	origin := r.Header.Get(echo.HeaderOrigin)
	return origin != "" &&
		(e.AnyOrigin || e.Audience == endpoint.Files || s.clients.AllowsOrigin(r.Context(), origin))
}

// isHeaderNames tells whether the text is a list of header names in a preflight. The length is limited, because the
// answer repeats the list. https://fetch.spec.whatwg.org/#cors-unsafe-request-header-names
func isHeaderNames(list string) bool {
	return len(list) <= 1000 && oidc.IsMadeOf(list, oidc.LettersAndDigits+"!#$%&'*+.^_`|~, -")
}

// csrf rejects forms that pages of this provider did not send. It checks Sec-Fetch-Site if the browser sends it, or
// else a token that must be in the cookie and in the form.
func csrf(cookie string, base endpoint.Base, secure bool) echo.MiddlewareFunc {
	check := middleware.CSRFWithConfig(middleware.CSRFConfig{
		TokenLookup:           "form:csrf",
		CookieName:            cookie,
		CookiePath:            base.CookiePath(),
		CookieSecure:          secure,
		CookieHTTPOnly:        true,
		CookieSameSite:        http.SameSiteLaxMode,
		AllowSecFetchSiteFunc: func(echo.Context) (bool, error) { return false, errForged },
		ErrorHandler:          func(err error, _ echo.Context) error { return errForged.Because(err) },
	})
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		checked := check(func(c echo.Context) error {
			token, _ := c.Get("csrf").(string)
			c.SetRequest(pages.WithCSRF(c.Request(), token))
			return next(c)
		})
		return func(c echo.Context) error {
			if c.Request().Method == http.MethodPost { // the framework's own parser refuses semicolons
				if err := oidc.ParseForm(c.Request()); err != nil {
					return oidc.InvalidRequest.Errorf("the form cannot be read: %s", oidc.FormFault(err)).Because(err)
				}
			}
			return checked(c)
		}
	}
}

// errForged is the error for a form from another site. Another port of the same host counts as another site, because it
// could set the cookie.
var errForged = oidc.AccessDenied.Errorf(
	"the form was not sent from this provider's page, or its cookie is gone: go back, reload the page and send it again")

// serve limits the body, checks the limit, lets development mode fail the request, and calls the endpoint.
func serve(e endpoint.Endpoint, site DevelopmentSite) echo.HandlerFunc {
	handle := e.Serve
	if e.Limit != nil {
		handle = limited(e.Limit, handle)
	}
	if site != nil {
		handle = site.Fail(e, handle)
	}
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength > endpoint.MaxBody {
			return &http.MaxBytesError{Limit: endpoint.MaxBody}
		}
		r.Body = http.MaxBytesReader(nil, r.Body, endpoint.MaxBody) // a body without a length fails while it is read
		for i, name := range c.ParamNames() {
			r.SetPathValue(cmp.Or(strings.ReplaceAll(name, "*", "path"), name), c.ParamValues()[i])
		}
		return handle(c.Response(), r)
	}
}

func limited(limit endpoint.Limit, next endpoint.Handler) endpoint.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		done, err := limit(r)
		if err != nil {
			return err
		}
		err = next(w, r)
		if done != nil {
			done(err)
		}
		return err
	}
}

// answer is a ResponseWriter that also records the error that the answer contains.
type answer struct {
	http.ResponseWriter
	refused *oidc.Error
}

// Refused is called by endpoint.Refuse.
func (a *answer) Refused(e *oidc.Error) { a.refused = e }

// Unwrap returns the underlying writer to http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func outcomeOf(c echo.Context) endpoint.Outcome {
	outcome := endpoint.Outcome{Request: c.Request(), Header: c.Response().Header()}
	if c.Response().Committed {
		outcome.Status = c.Response().Status
	}
	if a, ok := c.Response().Writer.(*answer); ok {
		outcome.Refused = a.refused
	}
	return outcome
}

// logRequest writes a line about the request: at level debug if it succeeded, at info if it was refused or had no
// answer, at error if the provider failed. A line for each success would take a tenth of the processor time of a
// renewal, and the metrics count the successes.
func (s *server) logRequest(c echo.Context, outcome endpoint.Outcome, failure error) {
	ctx, level, cause := c.Request().Context(), slog.LevelDebug, failure
	if cause == nil && outcome.Refused != nil {
		cause = outcome.Refused
	}
	switch {
	case outcome.Status >= http.StatusInternalServerError,
		outcome.Refused != nil && outcome.Refused.Code == oidc.ServerError:
		level = slog.LevelError
	case cause != nil, outcome.Status == 0, outcome.Status >= http.StatusBadRequest:
		level = slog.LevelInfo
	}
	if !s.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("method", c.Request().Method), slog.String("path", c.Request().URL.Path),
		slog.Int("status", outcome.Status), slog.Duration("took", outcome.Took),
		slog.String("request_id", c.Response().Header().Get(echo.HeaderXRequestID)),
	}
	if cause != nil {
		attrs = append(attrs, slog.String("error", cause.Error()))
	}
	s.log.LogAttrs(ctx, level, "request", attrs...)
}
