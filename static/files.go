package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

// types are the types of the files that Files serves. It does not serve texts and folders.
var types = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// Files serves the scripts, styles and pictures of a tree. It compresses a file once, when the first request for it
// comes.
type Files struct {
	tree  fs.FS
	files sync.Map // name to *File
}

// NewFiles returns the Files of a tree that does not change.
func NewFiles(tree fs.FS) *Files { return &Files{tree: tree} }

// Handler returns the handler of the file with this name, or nil if the tree has no such file.
func (f *Files) Handler(name string) http.Handler {
	if file := f.file(name); file != nil {
		return file
	}
	return nil
}

// Version returns a query for the address of a file, such as ?v=0a1b2c3d4e5f. Another content has another version, so a
// browser may keep the answer for that address and never ask again.
func (f *Files) Version(name string) string {
	if file := f.file(name); file != nil {
		return "?v=" + file.version
	}
	return ""
}

func (f *Files) file(name string) *File {
	if known, ok := f.files.Load(name); ok {
		return known.(*File)
	}
	content, err := fs.ReadFile(f.tree, name)
	kind := types[path.Ext(name)]
	if err != nil || kind == "" {
		return nil
	}
	file, _ := f.files.LoadOrStore(name, newFile(kind, content))
	return file.(*File)
}

// File answers requests for one file. Files makes it.
type File struct {
	kind, version  string
	plain, gzipped []byte
}

func newFile(kind string, content []byte) *File {
	sum := sha256.Sum256(content)
	var gzipped bytes.Buffer
	zip := gzip.NewWriter(&gzipped)
	_, _ = zip.Write(content) // a buffer takes everything
	_ = zip.Close()
	return &File{kind: kind, version: hex.EncodeToString(sum[:6]), plain: content, gzipped: gzipped.Bytes()}
}

// ServeHTTP sends the file, or 304 if the browser has it. The two encodings have different ETags (RFC 9110 §8.8.3.3).
// The caller may set Cache-Control before, for an address without the file's version.
func (f *File) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	if r.URL.RawQuery == "v="+f.version {
		h.Set("Cache-Control", "public, max-age=31536000, immutable") // RFC 8246
	}
	content, tag := f.plain, f.version
	if acceptsGzip(r.Header) {
		content, tag = f.gzipped, f.version+"-gzip"
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", `"`+tag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// acceptsGzip reads Accept-Encoding. A client may list an encoding with the weight 0, and then does not accept it.
// https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3
func acceptsGzip(h http.Header) bool {
	for _, accepted := range strings.Split(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(accepted, " ", ""), ";")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(weight, "q=0.") != "" || weight == ""
		}
	}
	return false
}
