package pages

import (
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/hush-idp/hush/idp/endpoint"
)

// Assets serves the files of trees, by their path prefixes such as /static/idp/: scripts, styles and pictures. Templates and texts,
// which lie beside them, are not served.
type Assets map[string]fs.FS

// Endpoints are those of each prefix.
func (a Assets) Endpoints() []endpoint.Endpoint {
	var all []endpoint.Endpoint
	for prefix, tree := range a {
		all = append(all, endpoint.Endpoint{
			Name: "static", Path: prefix + "{path...}", Methods: []string{http.MethodGet}, Audience: endpoint.Visitors,
			Serve: serveFiles(prefix, tree), Untraced: true,
		})
	}
	return all
}

func serveFiles(prefix string, tree fs.FS) endpoint.Handler {
	server := http.StripPrefix(prefix, http.FileServerFS(tree))
	return func(w http.ResponseWriter, r *http.Request) error {
		ext := path.Ext(r.URL.Path)
		if _, err := fs.Stat(tree, strings.TrimPrefix(r.URL.Path, prefix)); err != nil || ext == ".html" || ext == ".yaml" {
			return endpoint.ErrNotFound
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		server.ServeHTTP(w, r)
		return nil
	}
}
