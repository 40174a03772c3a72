package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"net/http"
	"path"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/rp"
	"github.com/hush-idp/hush/static"
)

// maxBody bounds a request's body, in bytes. The largest expected body is an authorization response of some hundred
// bytes.
const maxBody = 64 << 10

// newApp returns the whole demo as one handler, for every layout. self is its address for this process: the server-side
// app calls the API over HTTP. newApp makes no network call, so the provider may start later.
func newApp(c config, self string, log *slog.Logger) (http.Handler, error) {
	all := sites{byHost: map[string]http.Handler{}}
	for i, here := range c.everywhere() {
		site, err := newSite(here, self, log)
		if err != nil {
			return nil, err
		}
		all.byHost[hostOf(here.BaseURL)] = site
		if i == 0 {
			all.first = site
		}
	}
	return http.MaxBytesHandler(all, maxBody), nil
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
	routeWeb(e, webApp{party: party, api: self + "/api/me", host: hostOf(c.BaseURL)})
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
	for path, handler := range map[string]http.HandlerFunc{
		"/web/login": web.party.Login, "/web/callback": web.party.Callback, "/web/silent": web.party.SilentLogin,
		"/web/monitor": web.party.Monitor, "/web/monitor.js": web.party.MonitorScript,
		"/web/front-channel-logout": web.party.FrontChannelLogout,
	} {
		e.GET(path, echo.WrapHandler(handler))
	}
	for path, handler := range map[string]http.HandlerFunc{
		"/web/silent/finish": web.party.FinishSilent, "/web/logout": web.party.Logout, "/web/refresh": web.party.Refresh,
		"/web/sign-out-here": web.party.SignOutHere, "/web/back-channel-logout": web.party.BackChannelLogout,
	} {
		e.POST(path, echo.WrapHandler(handler))
	}
	e.GET("/web/session", web.session)
	e.GET("/web/call-api", web.callAPI)
}

// answer sends JSON that must not be cached.
func answer(c echo.Context, status int, body any) error {
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.JSON(status, body)
}

// types are the file types that assets serves; pages and folders are not served.
var types = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets serves scripts, styles and pictures. Embedded files have no date, so they share one ETag over all files, by
// which a browser can use its cache.
func assets(files fs.FS) http.Handler {
	server, tag := http.FileServerFS(files), etag(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := types[path.Ext(r.URL.Path)]
		if kind == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache") // use the cache, but revalidate
		w.Header().Set("ETag", tag)
		server.ServeHTTP(w, r)
	})
}

func etag(files fs.FS) string {
	hash := sha256.New()
	_ = fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		hash.Write(content)
		return err
	}) // embedded files can be read
	return `"` + hex.EncodeToString(hash.Sum(nil)[:12]) + `"`
}

const libraryFile = "vendor/oidc-client-ts.js"

// haveLibrary tells whether this program was built after npm install.
func haveLibrary() bool {
	_, err := fs.Stat(static.Demo(), libraryFile)
	return err == nil
}

// library serves oidc-client-ts, or an error that says how to get it.
func library() http.Handler {
	if haveLibrary() {
		return http.StripPrefix("/", assets(static.Demo()))
	}
	return http.HandlerFunc(missingLibrary)
}

func missingLibrary(w http.ResponseWriter, _ *http.Request) {
	http.Error(w, "oidc-client-ts is not built into this program.\n"+
		"Run `npm install` in the project's folder: it copies the library to static/demo/vendor/.\n"+
		"Then build or start the demo again.", http.StatusNotFound)
}
