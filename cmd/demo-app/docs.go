package main

import (
	"io/fs"
	"net/http"
	"os"
	"strings"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// docsPolicy is for the pages that VitePress makes. Scripts are files of the site. The policy allows the attribute
// style, which has the colours of code, and one style of the script of VitePress, which stops transitions while the
// theme changes. The end-to-end test of the site fails if a new VitePress changes that style.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self' " +
	"'sha256-skqujXORqzxt1aE0NNXxujEanPTX6raoqSscTV/Ww/Y='; style-src-attr 'unsafe-inline'; " +
	"img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'"

// docs is the folder with the site of the documentation. `make docs` may write it while this process runs.
type docs struct {
	folder string
	pages  *pages
}

func (d docs) routes(e *echo.Echo) {
	e.GET("/docs", func(c echo.Context) error { return c.Redirect(http.StatusMovedPermanently, "/docs/") })
	e.GET("/docs/*", d.serve, middleware.Gzip())
}

// serve sends a file of the site. The names of the files in assets/ contain a hash of their content, so a browser may
// keep them. No link leads out of the folder.
func (d docs) serve(c echo.Context) error {
	root, err := os.OpenRoot(d.folder)
	if err != nil {
		return d.missing(c)
	}
	defer root.Close()
	name, site := c.Param("*"), root.FS()
	if name == "" || strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	if !isFile(site, "index.html") {
		return d.missing(c)
	}
	if !isFile(site, name) {
		return echo.ErrNotFound
	}
	header := c.Response().Header()
	header.Set("Content-Security-Policy", docsPolicy)
	header.Set("Cache-Control", "no-cache")
	if strings.HasPrefix(name, "assets/") {
		header.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	c.Request().Header.Del("Range") // a range would count bytes before the compression (RFC 9110 §14.1)
	http.ServeFileFS(c.Response(), c.Request(), site, name)
	return nil
}

func isFile(site fs.FS, name string) bool {
	info, err := fs.Stat(site, name)
	return err == nil && info.Mode().IsRegular()
}

// missing says how to build the site.
func (d docs) missing(c echo.Context) error {
	return d.pages.render(c, http.StatusNotFound, "nodocs", page{Title: "Documentation"})
}
