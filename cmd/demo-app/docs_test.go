package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// siteFolder is a folder with a site of four files.
func siteFolder(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{
		"index.html": "the index", "recipes/index.html": "the recipes",
		"start.html": "the tutorial", "assets/app.0123.js": "the script",
	} {
		file := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestTheDocumentationIsServed(t *testing.T) {
	folder := siteFolder(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(folder), "secret.html"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret.html", filepath.Join(folder, "link.html")); err != nil {
		t.Fatal(err)
	}
	server := startDemo(t, "--docs", folder)
	for _, row := range []struct {
		name, path   string
		status       int
		body, cached string
	}{
		{"the folder is the index", "/docs/", 200, "the index", "no-cache"},
		{"a folder with an index", "/docs/recipes/", 200, "the recipes", "no-cache"},
		{"a page", "/docs/start.html", 200, "the tutorial", "no-cache"},
		{"a file with a hash in its name stays in the cache", "/docs/assets/app.0123.js", 200, "the script", "immutable"},
		{"the address without a slash leads to the folder", "/docs", 301, "", ""},
		{"a page that is not there", "/docs/nowhere.html", 404, "", ""},
		{"a folder has no list", "/docs/assets/", 404, "", ""},
		{"a folder without a slash has no list", "/docs/assets", 404, "", ""},
		{"a file outside the folder", "/docs/../secret.html", 404, "", ""},
		{"a link that leads out of the folder", "/docs/link.html", 404, "", ""},
		{"a file outside the folder, in an escaped address", "/docs/%2e%2e%2fsecret.html", 404, "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			response, body := send(t, server, request{path: row.path})
			header := response.Header
			if response.StatusCode != row.status || row.body != "" && body != row.body || strings.Contains(body, "secret") ||
				!strings.Contains(header.Get("Cache-Control"), row.cached) {
				t.Errorf("status %d, %v, %q; want %d and %q", response.StatusCode, header, body, row.status, row.body)
			}
			if policy := header.Get("Content-Security-Policy"); row.status == http.StatusOK && policy != docsPolicy {
				t.Errorf("policy %q", policy)
			}
		})
	}
}

func TestTheDocumentationIsServedWhole(t *testing.T) { // RFC 9110 §14.2: "A server MAY ignore the Range header field"
	server := startDemo(t, "--docs", siteFolder(t))
	response, body := send(t, server, request{path: "/docs/", header: map[string]string{"Range": "bytes=0-3"}})
	if response.StatusCode != http.StatusOK || body != "the index" {
		t.Errorf("status %d, %q; want the whole page", response.StatusCode, body)
	}
}

func TestADocumentationThatIsNotBuiltSaysHowToBuildIt(t *testing.T) {
	for name, args := range map[string][]string{
		"no folder is given":    nil,
		"the folder is missing": {"--docs", filepath.Join(t.TempDir(), "nowhere")},
		"the folder is empty":   {"--docs", t.TempDir()},
	} {
		t.Run(name, func(t *testing.T) {
			for _, path := range []string{"/docs/", "/docs/start.html"} {
				response, body := send(t, startDemo(t, args...), request{path: path})
				if response.StatusCode != http.StatusNotFound || !strings.Contains(body, "make docs") {
					t.Errorf("%s: status %d, %s", path, response.StatusCode, body)
				}
			}
		})
	}
}
