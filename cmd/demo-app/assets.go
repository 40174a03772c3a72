package main

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"

	"github.com/hush-idp/hush/static"
)

// types are the files that assets serves; pages, folders and everything else are none of them.
var types = map[string]string{
	".js":  "text/javascript; charset=utf-8",
	".css": "text/css; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets serves scripts, styles and pictures. Embedded files have no date, so an ETag over all of them tells a browser
// that it may use what it has: the callback page is loaded at every renewal.
func assets(files fs.FS) http.Handler {
	server, tag := http.FileServerFS(files), etag(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind := types[path.Ext(r.URL.Path)]
		if kind == "" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Cache-Control", "no-cache") // use it, but ask first
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

// haveLibrary says whether this program was built after npm install.
func haveLibrary() bool {
	_, err := fs.Stat(static.Demo(), libraryFile)
	return err == nil
}

// library serves oidc-client-ts or says how to get it. The page says the same in its own way when the script is absent.
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
