package main

import (
	"crypto/sha256"
	"encoding/base64"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/static"
)

// assets are the files of both trees, by the beginning of their addresses.
type assets map[string]*static.Files

func newAssets() assets {
	return assets{"/static/shared/": static.NewFiles(static.Shared()), "/static/demo/": static.NewFiles(static.Demo())}
}

func (a assets) routes(e *echo.Echo) {
	if !haveLibrary() {
		e.GET("/static/demo/"+library, missingLibrary)
	}
	for prefix, files := range a {
		e.GET(prefix+"*", func(c echo.Context) error {
			file := files.Handler(c.Param("*"))
			if file == nil {
				return echo.ErrNotFound
			}
			c.Response().Header().Set("Cache-Control", "no-cache") // use the cache, but revalidate
			file.ServeHTTP(c.Response(), c.Request())
			return nil
		})
	}
}

// versioned returns the address with the version of its file. Pages name scripts and styles so, but not modules: two
// addresses would make two modules of one file.
func (a assets) versioned(address string) string {
	for prefix, files := range a {
		if name, ok := strings.CutPrefix(address, prefix); ok {
			return address + files.Version(name)
		}
	}
	return address
}

// imports finds the modules that a script imports, each by a relative address.
var imports = regexp.MustCompile(`(?m)^import [^;]*"(\.[^"]+)";`)

// modules returns the addresses of all modules that a module imports, and that they import in turn. A page names them,
// so that a browser fetches them at once and not one after the other.
func modules(address string) (all []string) {
	waiting := []string{address}
	for len(waiting) > 0 {
		next := waiting[0]
		waiting = waiting[1:]
		for _, found := range imports.FindAllSubmatch(contentOf(next), -1) {
			module := path.Join(path.Dir(next), string(found[1]))
			if !slices.Contains(all, module) {
				all, waiting = append(all, module), append(waiting, module)
			}
		}
	}
	return all
}

// inlined are the scripts that the callback pages contain. Each renewal loads such a page, and a script in a file of
// its own would arrive later than the page, even from the browser's cache.
var inlined = []string{"/static/demo/spa/callback.js", "/static/demo/web/silent-callback.js"}

// inline returns the text of such a script for a page.
func inline(address string) template.JS { return template.JS(contentOf(address)) }

// inlineHashes are the hashes of inlined for script-src. https://www.w3.org/TR/CSP3/#framework-directive-source-list
func inlineHashes() (sources string) {
	for _, address := range inlined {
		sum := sha256.Sum256(contentOf(address))
		sources += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return sources
}

func contentOf(address string) []byte {
	tree, name, _ := strings.Cut(strings.TrimPrefix(address, "/static/"), "/")
	trees := map[string]fs.FS{"demo": static.Demo(), "shared": static.Shared()}
	content, _ := fs.ReadFile(trees[tree], name) // a test reads all
	return content
}

const library = "vendor/oidc-client-ts.js"

// haveLibrary is true when this program was built after npm install.
func haveLibrary() bool {
	_, err := fs.Stat(static.Demo(), library)
	return err == nil
}

// missingLibrary answers in the place of oidc-client-ts, and says how to get it.
func missingLibrary(c echo.Context) error {
	return c.String(http.StatusNotFound, "oidc-client-ts is not built into this program.\n"+
		"Run `npm install` in the project's folder: it copies the library to static/demo/vendor/.\n"+
		"Then build or start the demo again.\n")
}
