package idp_test

import (
	"net/http"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// RFC 9110 §8.4 and §13.1.2: what a page of the provider needs is sent compressed, and once.
func TestStaticFilesAreCompressedAndHaveETags(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, path := range []string{"/static/idp/idp.css", "/static/idp/console/app.js", "/static/shared/hush.css"} {
		headers := []string{"Accept-Encoding", "gzip, br"}
		first := serve(p, get(t, http.MethodGet, p.Issuer+path, nil, headers...)).Header()
		if first.Get("Content-Encoding") != "gzip" || first.Get("Cache-Control") != "public, max-age=300" {
			t.Errorf("%s: %v; want gzip, for five minutes", path, first)
		}
		again := serve(p, get(t, http.MethodGet, p.Issuer+path, nil, append(headers, "If-None-Match", first.Get("ETag"))...))
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: %d and %d bytes for the same ETag; want 304 and none", path, again.Code, again.Body.Len())
		}
	}
}
