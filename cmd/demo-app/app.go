package main

import (
	"log/slog"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/rp"
	"github.com/hush-idp/hush/static"
)

// maxBody bounds a request's body, in bytes. The largest that is expected is an answer of the provider's, some hundred bytes.
const maxBody = 64 << 10

// newApp returns the whole demo as one handler, for every layout. self is the address at which this process reaches it, so
// that the server-side app can call the API over HTTP like everybody else. No network call is made here: the provider may
// start later.
func newApp(c config, self string, log *slog.Logger) (http.Handler, error) {
	all := sites{byHost: map[string]http.Handler{}}
	for i, here := range c.everywhere() {
		site, err := newSite(here, self, log)
		if err != nil {
			return nil, err
		}
		all.byHost[host(here.BaseURL)] = site
		if i == 0 {
			all.first = site
		}
	}
	return http.MaxBytesHandler(all, maxBody), nil
}

// host is the host name in an address that has been checked before.
func host(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
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
	pages, err := newPages(c)
	if err != nil {
		return nil, err
	}
	e := echo.New()
	e.HTTPErrorHandler = pages.showError(log)
	e.Use(withRequestID, logRequests(log), securityHeaders(c.Issuer))
	pages.routes(e)
	routeAssets(e)
	routeWeb(e, webApp{party: party, api: self + "/api/me", host: host(c.BaseURL)})
	e.GET("/api/me", echo.WrapHandler(resource.Require(apiScope)(http.HandlerFunc(me))))
	e.GET("/config.json", func(ec echo.Context) error { return answer(ec, http.StatusOK, c.spa()) })
	e.GET("/healthz", func(ec echo.Context) error { return ec.String(http.StatusOK, "ok\n") })
	return e, nil
}

func routeAssets(e *echo.Echo) {
	e.GET("/static/shared/*", echo.WrapHandler(http.StripPrefix("/static/shared", assets(static.Shared()))))
	e.GET("/static/demo/*", echo.WrapHandler(http.StripPrefix("/static/demo", assets(static.Demo()))))
	e.GET("/vendor/oidc-client-ts.js", echo.WrapHandler(library()))
}

// routeWeb mounts package rp, and what the server-side app adds to it.
func routeWeb(e *echo.Echo, web webApp) {
	e.GET("/web/login", echo.WrapHandler(http.HandlerFunc(web.party.Login)))
	e.GET("/web/callback", echo.WrapHandler(http.HandlerFunc(web.party.Callback)))
	e.GET("/web/silent", echo.WrapHandler(http.HandlerFunc(web.party.SilentLogin)))
	e.POST("/web/silent/finish", echo.WrapHandler(http.HandlerFunc(web.party.FinishSilent)))
	e.POST("/web/logout", echo.WrapHandler(http.HandlerFunc(web.party.Logout)))
	e.POST("/web/refresh", echo.WrapHandler(http.HandlerFunc(web.party.Refresh)))
	e.POST("/web/sign-out-here", echo.WrapHandler(http.HandlerFunc(web.party.SignOutHere)))
	e.GET("/web/monitor", echo.WrapHandler(http.HandlerFunc(web.party.Monitor)))
	e.GET("/web/monitor.js", echo.WrapHandler(http.HandlerFunc(web.party.MonitorScript)))
	e.GET("/web/front-channel-logout", echo.WrapHandler(http.HandlerFunc(web.party.FrontChannelLogout)))
	e.POST("/web/back-channel-logout", echo.WrapHandler(http.HandlerFunc(web.party.BackChannelLogout)))
	e.GET("/web/session", web.session)
	e.GET("/web/call-api", web.callAPI)
}

// answer sends JSON that belongs to this moment and this browser.
func answer(c echo.Context, status int, body any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, body)
}
