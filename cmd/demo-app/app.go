package main

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/rp"
	"github.com/hush-idp/hush/static"
)

// maxBody bounds a request's body, in bytes. The largest that is expected is an answer of the provider's, some hundred bytes.
const maxBody = 64 << 10

// newApp returns the whole demo as one handler. self is the address at which this process reaches it, so that the
// server-side app can call the API over HTTP like everybody else. No network call is made here: the provider may
// start later.
func newApp(c config, self string, log *slog.Logger) (http.Handler, error) {
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
	routeWeb(e, party, self)
	e.GET("/api/me", echo.WrapHandler(resource.Require(apiScope)(http.HandlerFunc(me))))
	e.GET("/config.json", func(ec echo.Context) error { return answer(ec, http.StatusOK, c.spa()) })
	e.GET("/healthz", func(ec echo.Context) error { return ec.String(http.StatusOK, "ok\n") })
	return http.MaxBytesHandler(e, maxBody), nil
}

func routeAssets(e *echo.Echo) {
	e.GET("/static/shared/*", echo.WrapHandler(http.StripPrefix("/static/shared", assets(static.Shared()))))
	e.GET("/static/demo/*", echo.WrapHandler(http.StripPrefix("/static/demo", assets(static.Demo()))))
	e.GET("/vendor/oidc-client-ts.js", echo.WrapHandler(library()))
}

// routeWeb mounts package rp, and what the server-side app adds to it.
func routeWeb(e *echo.Echo, party *rp.RP, self string) {
	e.GET("/web/login", echo.WrapHandler(http.HandlerFunc(party.Login)))
	e.GET("/web/callback", echo.WrapHandler(http.HandlerFunc(party.Callback)))
	e.GET("/web/silent", echo.WrapHandler(http.HandlerFunc(party.SilentLogin)))
	e.POST("/web/silent/finish", echo.WrapHandler(http.HandlerFunc(party.FinishSilent)))
	e.POST("/web/logout", echo.WrapHandler(http.HandlerFunc(party.Logout)))
	web := webApp{party: party, api: self + "/api/me"}
	e.GET("/web/session", web.session)
	e.GET("/web/call-api", web.callAPI)
}

// answer sends JSON that belongs to this moment and this browser.
func answer(c echo.Context, status int, body any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, body)
}
