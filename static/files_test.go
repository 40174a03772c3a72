package static_test

import (
	"compress/gzip"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/static"
)

const script = "export const x = 1; // and more and more and more and more and more and more and more words"

var sent = static.NewFiles(fstest.MapFS{
	"app.js": {Data: []byte(script)}, "en.yaml": {Data: []byte("title: Home")}, "lib/x.css": {Data: []byte("p {}")},
})

// fetch asks for app.js at this query, with these header fields.
func fetch(t *testing.T, query string, header http.Header) *http.Response {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/app.js"+query, nil)
	r.Header = header
	w := httptest.NewRecorder()
	w.Header().Set("Cache-Control", "no-cache")
	sent.Handler("app.js").ServeHTTP(w, r)
	return w.Result()
}

var encodings = []struct {
	text, accept, want string
}{
	{"RFC 9110 §12.5.3: a browser that accepts gzip gets gzip", "gzip, deflate, br, zstd", "gzip"},
	{"RFC 9110 §12.5.3: names of encodings have no case", "br;q=1.0, GZIP;q=0.8", "gzip"},
	{"RFC 9110 §12.5.3: no header means no encoding here", "", ""},
	{"RFC 9110 §12.5.3: another encoding is not gzip", "br", ""},
	{"RFC 9110 §12.4.2: the weight 0 means not acceptable", "br, gzip;q=0", ""},
	{"RFC 9110 §12.4.2: so does 0.000, with spaces", "gzip ; q=0.000", ""},
	{"RFC 9110 §12.4.2: the weight 0.001 is acceptable", "gzip;q=0.001", "gzip"},
}

func TestAFileIsCompressedForThoseThatAcceptIt(t *testing.T) {
	for _, row := range encodings {
		t.Run(row.text, func(t *testing.T) {
			response := fetch(t, "", http.Header{"Accept-Encoding": {row.accept}})
			if got := response.Header.Get("Content-Encoding"); got != row.want {
				t.Errorf("Content-Encoding %q, want %q", got, row.want)
			}
			if got := response.Header.Get("Vary"); got != "Accept-Encoding" {
				t.Errorf("Vary %q, want Accept-Encoding", got)
			}
			if got := contentOf(t, response); got != script {
				t.Errorf("the content is %q", got)
			}
		})
	}
}

func contentOf(t *testing.T, response *http.Response) string {
	t.Helper()
	body := io.Reader(response.Body)
	if response.Header.Get("Content-Encoding") == "gzip" {
		zip, err := gzip.NewReader(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		body = zip
	}
	content, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// RFC 9110 §8.8.3.3 and §13.1.2.
func TestABrowserThatHasAFileGetsNoneAgain(t *testing.T) {
	zipped := http.Header{"Accept-Encoding": {"gzip"}}
	tag, plain := fetch(t, "", zipped).Header.Get("ETag"), fetch(t, "", http.Header{}).Header.Get("ETag")
	if tag == plain {
		t.Errorf("both encodings have the ETag %s", tag)
	}
	zipped.Set("If-None-Match", tag)
	if response := fetch(t, "", zipped); response.StatusCode != http.StatusNotModified || contentLength(t, response) != 0 {
		t.Errorf("status %d with content, want 304 without", response.StatusCode)
	}
	if response := fetch(t, "", http.Header{"If-None-Match": {tag}}); response.StatusCode != http.StatusOK {
		t.Errorf("status %d for the ETag of the other encoding, want 200", response.StatusCode)
	}
}

func contentLength(t *testing.T, response *http.Response) int {
	t.Helper()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return len(content)
}

func TestOnlyTheAddressWithTheVersionIsKept(t *testing.T) { // RFC 8246
	version := sent.Version("app.js")
	for query, want := range map[string]string{
		version: "public, max-age=31536000, immutable", "": "no-cache", version + "0": "no-cache", "?v=": "no-cache",
	} {
		if got := fetch(t, query, http.Header{}).Header.Get("Cache-Control"); got != want {
			t.Errorf("Cache-Control %q for %q, want %q", got, query, want)
		}
	}
}

func TestTextsAndFoldersAreNotServed(t *testing.T) {
	for _, name := range []string{"en.yaml", "lib", "", ".", "../files.go", "nothing.js", "/app.js"} {
		if sent.Handler(name) != nil || sent.Version(name) != "" {
			t.Errorf("%q is served", name)
		}
	}
}

// The browser fetches the modules of the console at once, and not one after the other.
func TestTheConsolePreloadsAllItsModules(t *testing.T) {
	trees := map[string]fs.FS{"idp": static.IDP(), "shared": static.Shared()}
	var preloaded, imported []string
	for _, n := range parse(t, sample{"console", pages.Console{}}).elements {
		if attr(n, "rel") == "modulepreload" {
			preloaded = append(preloaded, strings.TrimPrefix(attr(n, "href"), "/static/"))
		}
	}
	for _, module := range append([]string{"idp/console/app.js"}, preloaded...) {
		tree, name, _ := strings.Cut(module, "/")
		code, err := fs.ReadFile(trees[tree], name)
		if err != nil {
			t.Error(err)
		}
		for _, found := range regexp.MustCompile(`from "(\.[^"]+)"`).FindAllStringSubmatch(string(code), -1) {
			imported = append(imported, path.Join(path.Dir(module), found[1]))
		}
	}
	slices.Sort(preloaded)
	slices.Sort(imported)
	if imported = slices.Compact(imported); !slices.Equal(preloaded, imported) {
		t.Errorf("the page preloads\n%q, its modules import\n%q", preloaded, imported)
	}
}
