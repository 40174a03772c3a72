package pages_test

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"

	"github.com/hush-idp/hush/idp/pages"
)

// hostileTexts are texts of a stranger, each list under a harmless text of the same kind. The second kind is for links:
// a page shows a link only for the URI of a web page.
var hostileTexts = map[string][]string{
	"harmless": {
		`"><script>alert(1)</script>`, `'><img src=x onerror=alert(1)>`, `" onmouseover="alert(1)`,
		`' autofocus onfocus='alert(1)`,
		"</title><script>alert(1)</script>", "</pre><script>alert(1)</script>", "<!--", "]]>", "&quot;><b>",
		"&#34;><b>", "<b>{issuer}</b>", "javascript:alert(1)", "JavaScript:alert(1)", "\tjavascript:alert(1)",
		"java\nscript:alert(1)", " javascript:alert(1)", "\x00javascript:alert(1)", "vbscript:alert(1)",
		"data:text/html,<script>alert(1)</script>", `javascript:alert("https://")`,
	},
	"https://app.test/": {
		`https://app.test/"><script>alert(1)</script>`, `https://app.test/" onmouseover="alert(1)`,
		`https://app.test/' onclick='alert(1)`,
		"https://app.test/><b>", "HTTPS://app.test/?a=b&quot;c=d#<b>",
	},
}

// A page with a hostile text in any field has the same elements and attributes as with a harmless text, and no URL is a
// script.
func TestAHostileTextStaysATextInEachPlace(t *testing.T) {
	for harmless, hostile := range hostileTexts {
		for _, page := range filledPages(harmless) {
			want := structure(t, page)
			for _, text := range hostile {
				if diff := cmp.Diff(want, structure(t, filled(page, text))); diff != "" {
					t.Errorf("%T with %q has other elements (-want +got):\n%s", page, text, diff)
				}
			}
		}
	}
}

// A hostile text does not disappear from a text or an attribute: a person sees it as it is written.
func TestAHostileTextIsShownAsItIsWritten(t *testing.T) {
	const text = `<b onclick="x">&amp;'`
	for _, page := range filledPages(text) {
		if _, isFramed := page.(pages.CheckSession); isFramed {
			continue // it shows no text
		}
		found := false
		for _, n := range elements(t, page) {
			found = found || slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Val == text }) ||
				n.FirstChild != nil && n.FirstChild.Data == text
		}
		if !found {
			t.Errorf("%T shows %s nowhere", page, text)
		}
	}
}

// filledPages are all pages with the text in every field. Without a client the page of a device asks for the code.
func filledPages(text string) (all []pages.Page) {
	for _, page := range append(everyPage(""), pages.Device{}) {
		all = append(all, filled(page, text))
	}
	return all
}

// filled is a page of the same type with the text in every field. It leaves out fields that choose a text by its key,
// because only the provider sets them.
func filled(page pages.Page, text string) pages.Page {
	same := reflect.New(reflect.TypeOf(page)).Elem()
	fill(same, text, 0)
	for _, name := range []string{"Kind", "Decision", "Language"} {
		if field := same.FieldByName(name); field.IsValid() {
			field.SetString("")
		}
	}
	if _, isLogin := page.(pages.Login); isLogin {
		same.FieldByName("Reason").SetString("")
	}
	if device, isDevice := page.(pages.Device); isDevice && device.Client == nil {
		same.FieldByName("Client").SetZero()
	}
	return same.Interface().(pages.Page)
}

// fill puts the text into all strings below the value, and makes two of each slice.
func fill(value reflect.Value, text string, depth int) {
	switch {
	case depth > 8 || !value.CanSet() || value.Type() == reflect.TypeFor[time.Time]():
	case value.Kind() == reflect.String:
		value.SetString(text)
	case value.Kind() == reflect.Bool:
		value.SetBool(true)
	case value.Kind() == reflect.Struct:
		for i := range value.NumField() {
			fill(value.Field(i), text, depth+1)
		}
	case value.Kind() == reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem(), text, depth+1)
	case value.Kind() == reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		for i := range 2 {
			fill(value.Index(i), text, depth+1)
		}
	}
}

func elements(t *testing.T, page pages.Page) (list []*html.Node) {
	t.Helper()
	w := httptest.NewRecorder()
	if err := ourPages(t).Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
		t.Fatalf("%T: %v", page, err)
	}
	root, err := html.Parse(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.TextNode {
			list = append(list, n)
		}
	}
	return list
}

// structure has the elements of the page with the names of their attributes. It marks the URLs that a browser may run.
func structure(t *testing.T, page pages.Page) (list []string) {
	t.Helper()
	for _, n := range elements(t, page) {
		line := n.Data
		for _, a := range n.Attr {
			line += " " + a.Key
			if slices.Contains([]string{"href", "src", "action"}, a.Key) && mayRun(a.Val) {
				line += " (a script: " + a.Val + ")"
			}
		}
		list = append(list, line)
	}
	return list
}

// mayRun reports whether a browser may run the URL as a script. By the URL Standard a browser omits spaces and control
// characters before the scheme, and tabs and line breaks everywhere.
// https://url.spec.whatwg.org/#concept-basic-url-parser
func mayRun(url string) bool {
	url = strings.TrimLeftFunc(url, func(r rune) bool { return r <= ' ' })
	url = strings.ToLower(strings.NewReplacer("\t", "", "\n", "", "\r", "").Replace(url))
	return slices.ContainsFunc([]string{"javascript:", "data:", "vbscript:"},
		func(scheme string) bool { return strings.HasPrefix(url, scheme) })
}
