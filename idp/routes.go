package idp

import (
	"log/slog"
	"net/http"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"

	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/interaction"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// The provider's paths.
const (
	pathDiscovery = "/.well-known/openid-configuration"       // OpenID Connect Discovery §4
	pathMetadata  = "/.well-known/oauth-authorization-server" // RFC 8414 §3
	pathJWKS      = "/jwks"
	pathAuthorize = interaction.PathAuthorize
	pathToken     = "/token"
	pathUserinfo  = "/userinfo"
	pathLogout    = "/logout"
	pathHealth    = "/healthz"
	pathReady     = "/readyz"
	pathReasons   = "/reasons/"
)

// bodyLimit is more than any request of ours needs.
const bodyLimit = "64KiB"

// routes gives every room its path, and every path the guards that it needs.
func (p *Provider) routes() *echo.Echo {
	e := echo.New()
	e.HTTPErrorHandler = p.renderError
	e.Pre(sensibleRequestID, p.unalias())
	e.Use(middleware.RequestIDWithConfig(middleware.RequestIDConfig{Generator: p.around.Random}), p.around.Observers.request, p.patient, p.upToDate, p.watch,
		p.logRequests(), middleware.Recover(), p.baseHeaders, p.cors(), middleware.BodyLimit(bodyLimit), p.meddle)

	e.GET(pathDiscovery, p.serveMetadata)
	e.GET(pathMetadata, p.serveMetadata)
	e.GET(pathJWKS, p.serveJWKS)
	e.POST(pathToken, p.serveToken, p.limits.token, p.giveNonce)
	e.Match([]string{http.MethodGet, http.MethodPost}, pathUserinfo, p.userinfo, noStore, p.giveNonce)

	e.Match([]string{http.MethodGet, http.MethodPost}, pathAuthorize, p.serveAuthorize)
	e.POST(pathLogout, p.logout.Logout)
	p.pageRoutes(e, p.csrf())
	p.requestRoutes(e)
	p.revocationRoutes(e)
	p.registrationRoutes(e)
	p.deviceRoutes(e)

	if p.development != nil {
		p.developmentRoutes(e)
	}
	e.GET(pathHealth, p.health)
	if p.around.Metrics != nil && p.config.Loopback() { // elsewhere the numbers are for a listener of their own
		e.GET("/metrics", echo.WrapHandler(p.around.Metrics.Handler()))
	}
	e.GET(pathReady, p.readiness)
	e.GET("/static/idp/*", onlyAssets(echo.StaticDirectoryHandler(static.IDP(), false)))
	e.GET("/static/shared/*", onlyAssets(echo.StaticDirectoryHandler(static.Shared(), false)))
	return e
}

// storePatience is how long all that one request asks of the store may take.
const storePatience = 2500 * time.Millisecond

// patient bounds what a request waits for the store in all.
func (p *Provider) patient(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		c.SetRequest(r.WithContext(storage.Patience(r.Context(), storePatience)))
		return next(c)
	}
}

// pageRoutes are the pages and their forms. All are guarded against forged requests.
func (p *Provider) pageRoutes(e *echo.Echo, csrf echo.MiddlewareFunc) {
	e.GET("/", p.home, csrf)
	e.GET(interaction.PathLogin, p.login.ShowLogin, csrf)
	e.POST(interaction.PathLogin, p.login.Login, csrf, p.limits.login)
	e.GET(interaction.PathSelectAccount, p.login.ShowSelectAccount, csrf)
	e.POST(interaction.PathSelectAccount, p.login.SelectAccount, csrf)
	e.GET(interaction.PathConsent, p.login.ShowConsent, csrf)
	e.POST(interaction.PathConsent, p.login.Consent, csrf)
	e.POST(interaction.PathConsent+"/forget", p.login.Forget, csrf)
	e.GET(pathLogout, p.logout.Logout, csrf)
	e.POST(pathLogout+"/confirm", p.logout.Confirm, csrf)
	p.sessionRoutes(e, csrf)
}

// cors lets the scripts of registered clients read the answers, errors too: without it a browser hides them.
func (p *Provider) cors() echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper:         func(c echo.Context) bool { return !isForPrograms(c.Request().URL.Path) },
		AllowOriginFunc: func(origin string) (bool, error) { return p.clients.AllowsOrigin(origin), nil },
		AllowMethods:    []string{http.MethodGet, http.MethodPost},
		AllowHeaders:    []string{"Authorization", "Content-Type", dpop.Header, "Auth0-Client"},
		ExposeHeaders:   []string{"WWW-Authenticate", dpop.HeaderNonce, echo.HeaderRetryAfter, echo.HeaderXRequestID},
		MaxAge:          600,
	})
}

// csrf refuses forms that our own pages did not send: by Sec-Fetch-Site where the browser says it, else by a token that
// cookie and form both carry.
func (p *Provider) csrf() echo.MiddlewareFunc {
	return middleware.CSRFWithConfig(middleware.CSRFConfig{
		TokenLookup:           "form:csrf",
		CookieName:            p.sessions.Cookies.Names()[0] + "-csrf",
		CookiePath:            "/",
		CookieSecure:          p.issuer().Scheme == "https",
		CookieHTTPOnly:        true,
		CookieSameSite:        http.SameSiteLaxMode,
		AllowSecFetchSiteFunc: func(echo.Context) (bool, error) { return false, errForged },
		ErrorHandler:          func(err error, _ echo.Context) error { return errForged.Because(err) },
	})
}

// errForged answers a form that came from elsewhere. Another port of the same host is elsewhere too: it could set the cookie.
var errForged = oidc.AccessDenied.Errorf("the form was not sent from this provider's page, or its cookie is gone: go back, reload the page and send it again")

// baseHeaders are on every answer; a page replaces the policy by its own.
func (p *Provider) baseHeaders(next echo.HandlerFunc) echo.HandlerFunc {
	public := p.issuer().Scheme == "https" && !p.config.Loopback()
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		if public {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		return next(c)
	}
}

// sensibleRequestID drops an X-Request-Id that no proxy of ours would send: it is echoed, shown and logged.
func sensibleRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h := c.Request().Header; !requestID.MatchString(h.Get(echo.HeaderXRequestID)) {
			h.Del(echo.HeaderXRequestID)
		}
		return next(c)
	}
}

var requestID = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,128}$`)

func noStore(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-store")
		return next(c)
	}
}

// onlyAssets keeps the templates and their words, which lie beside them, out of sight.
func onlyAssets(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if ext := path.Ext(c.Request().URL.Path); ext == ".html" || ext == ".yaml" || strings.HasSuffix(c.Request().URL.Path, "/") {
			return echo.ErrNotFound
		}
		c.Response().Header().Set("Cache-Control", "public, max-age=300")
		return next(c)
	}
}

// logRequests writes one line a request: never a query, a body or a header, since codes and tokens travel there.
func (p *Provider) logRequests() echo.MiddlewareFunc {
	return middleware.RequestLoggerWithConfig(middleware.RequestLoggerConfig{
		LogMethod: true, LogURIPath: true, LogStatus: true, LogLatency: true, LogRequestID: true, LogError: true, HandleError: true,
		LogValuesFunc: func(c echo.Context, v middleware.RequestLoggerValues) error {
			level, attrs := slog.LevelInfo, []slog.Attr{
				slog.String("method", v.Method), slog.String("path", v.URIPath), slog.Int("status", v.Status),
				slog.Duration("took", v.Latency), slog.String("request_id", v.RequestID),
			}
			if v.Error != nil {
				attrs = append(attrs, slog.String("error", v.Error.Error()))
			}
			switch {
			case v.Status >= http.StatusInternalServerError:
				level = slog.LevelError
			case v.URIPath == pathHealth, v.URIPath == pathReady:
				level = slog.LevelDebug // asked every few seconds
			}
			p.around.Log.LogAttrs(c.Request().Context(), level, "request", attrs...)
			return nil
		},
	})
}
