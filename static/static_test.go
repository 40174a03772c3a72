package static_test

import (
	"bytes"
	"io/fs"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
)

func TestEmbeddedFolders(t *testing.T) {
	for name, files := range map[string]fs.FS{"hush.css": static.Shared(), "favicon.svg": static.Shared(),
		"idp.css": static.IDP(), "form_post.js": static.IDP(), "web_message.js": static.IDP(), ".": static.Demo()} {
		if _, err := fs.Stat(files, name); err != nil {
			t.Errorf("%s is not embedded: %v", name, err)
		}
	}
}

// Each rule holds for every element of every page, also with hostile names of an app.
var rules = []struct {
	text  string
	holds func(*html.Node, document) bool
}{
	{"CSP style-src 'self': no inline style",
		func(n *html.Node, _ document) bool { return n.Data != "style" && !has(n, "style") }},
	{"CSP script-src 'self': a script is a file of ours", func(n *html.Node, _ document) bool {
		return n.Data != "script" || (n.FirstChild == nil && strings.HasPrefix(attr(n, "src"), "/static/"))
	}},
	{"CSP script-src 'self': no event handler attributes", func(n *html.Node, _ document) bool {
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") {
				return false
			}
		}
		return true
	}},
	{"a link leads to http, https or a path of ours", func(n *html.Node, _ document) bool {
		return !has(n, "href") || regexp.MustCompile(`^(https?://|/|#)`).MatchString(attr(n, "href"))
	}},
	{"a picture comes from http, https or a path of ours", func(n *html.Node, _ document) bool {
		return n.Data != "img" || regexp.MustCompile(`^(https?://|/)`).MatchString(attr(n, "src"))
	}},
	{"HTML: ids are unique", func(n *html.Node, d document) bool { return !has(n, "id") || d.ids[attr(n, "id")] == 1 }},
	{"WCAG 1.1.1: a picture has alt text, if only empty",
		func(n *html.Node, _ document) bool { return n.Data != "img" || has(n, "alt") }},
	{"WCAG 3.3.2: a field has a label", func(n *html.Node, d document) bool {
		return n.Data != "input" || attr(n, "type") == "hidden" || d.labels[attr(n, "id")] || n.Parent.Data == "label"
	}},
	{"WCAG 4.1.2: a button has words", func(n *html.Node, _ document) bool { return n.Data != "button" || text(n) != "" }},
	{"ARIA: what is referred to exists", func(n *html.Node, d document) bool {
		for _, key := range []string{"aria-describedby", "aria-labelledby"} {
			if has(n, key) && d.ids[attr(n, key)] == 0 {
				return false
			}
		}
		return true
	}},
	{"every POST form of ours carries csrf, and interaction unless the console takes it",
		func(n *html.Node, _ document) bool {
			if n.Data != "form" || attr(n, "method") != "post" || !strings.HasPrefix(attr(n, "action"), "/") {
				return true
			}
			forConsole := strings.HasPrefix(attr(n, "action"), "/console/")
			return hidden(n, "csrf") == "csrf-value" && (forConsole || hidden(n, "interaction") == "interaction-value")
		}},
}

func TestPages(t *testing.T) {
	for from, c := range map[string]*oidc.Client{"known": shop, "hostile": hostile} {
		for _, s := range samples(c) {
			t.Run(from+"/"+s.name, func(t *testing.T) {
				page := parse(t, s)
				for _, n := range page.elements {
					for _, rule := range rules {
						if !rule.holds(n, page) {
							t.Errorf("%s: <%s %v>", rule.text, n.Data, n.Attr)
						}
					}
				}
				if page.count["h1"] != 1 || page.count["main"] != 1 {
					t.Errorf("WCAG 1.3.1: %d h1 and %d main, want one of each", page.count["h1"], page.count["main"])
				}
				if root := page.elements[0]; attr(root, "lang") != "en" {
					t.Error("WCAG 3.1.1: the page does not name its language")
				}
			})
		}
	}
}

// Scripts of other projects use these ids, so they must not change.
func TestStableIDs(t *testing.T) {
	want := map[string]string{
		"login":          "username password login-submit login-cancel login-as-alice login-as-bob login-as-carol",
		"login-again":    "login-error login-reason",
		"device":         "device user_code device-error device-submit",
		"device-ask":     "device-code device-allow device-deny device-another",
		"device-allowed": "device-allowed",
		"device-denied":  "device-denied",
		"consent":        "consent-allow consent-deny",
		"select_account": "account-alice account-bob account-other",
		"logout":         "logout-confirm logout-stay",
		"signed_out":     "return-to",
		"error":          "error-code error-description request-id",
		"error-remedy":   "error-reason remedy remedy-submit",
		"reason":         "reason-code happened how-we-know how-sure what-to-do",
		"reasons":        "reason-session.none",
		"home":           "home-logout forget-shop",
		"home-alone":     "home-login",
		"account":        "this-session session-0-end session-1-end end-others app-shop-end",
		"account-alone":  "account-login",
		"form_post":      "form-post form-post-continue",
		"web_message":    "web-message",
	}
	for _, s := range samples(shop) {
		page := parse(t, s)
		for _, id := range strings.Fields(want[s.name]) {
			if page.ids[id] != 1 {
				t.Errorf("%s has no element with the id %s", s.name, id)
			}
		}
	}
}

func TestHostileNameStaysText(t *testing.T) {
	for _, s := range samples(hostile) {
		page := parse(t, s)
		if page.count["b"] != 0 || page.count["i"] != 0 {
			t.Errorf("%s: the client's name became an element", s.name)
		}
	}
}

func TestWrongPasswordIsAnnounced(t *testing.T) {
	for _, s := range samples(shop) {
		if s.name != "login-again" {
			continue
		}
		for _, n := range parse(t, s).elements {
			switch attr(n, "id") {
			case "username", "password":
				if attr(n, "aria-invalid") != "true" || attr(n, "aria-describedby") != "login-error" {
					t.Errorf("WCAG 3.3.1: the field %s does not point at the error", attr(n, "id"))
				}
			case "login-error":
				if attr(n, "role") != "alert" {
					t.Error("WCAG 4.1.3: the error is not an alert")
				}
			}
		}
	}
}

// WCAG 1.4.3 and 1.4.11: 4.5:1 for text, 3:1 for the frame of a field, in both colour schemes.
func TestContrast(t *testing.T) {
	css, err := fs.ReadFile(static.Shared(), "hush.css")
	if err != nil {
		t.Fatal(err)
	}
	for i, scheme := range []string{"light", "dark"} {
		colour := map[string]string{}
		pairs := regexp.MustCompile(`--([a-z-]+): light-dark\((#\w{6}), (#\w{6})\)`)
		for _, m := range pairs.FindAllStringSubmatch(string(css), -1) {
			colour[m[1]] = m[2+i]
		}
		for _, row := range []struct {
			on, words string
			least     float64
		}{
			{"paper", "ink ink-soft accent", 4.5},
			{"surface", "ink ink-soft accent good bad warn info", 4.5},
			{"sunken", "ink ink-soft accent good bad warn info", 4.5},
			{"accent", "on-accent", 4.5},
			{"accent-soft", "ink ink-soft accent", 4.5},
			{"good-soft", "ink good", 4.5}, {"bad-soft", "ink bad", 4.5}, {"warn-soft", "ink warn", 4.5},
			{"info-soft", "ink info", 4.5},
			{"surface", "line-strong", 3}, {"sunken", "line-strong", 3},
		} {
			for _, word := range strings.Fields(row.words) {
				if got := contrast(t, colour[row.on], colour[word]); got < row.least {
					t.Errorf("%s: --%s on --%s is %.2f:1, want %.1f:1", scheme, word, row.on, got, row.least)
				}
			}
		}
	}
}

// contrast is the ratio of WCAG 2.2 "contrast ratio" for two colours written #rrggbb.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) float64 {
	t.Helper()
	rgb, err := strconv.ParseUint(strings.TrimPrefix(colour, "#"), 16, 32)
	if err != nil {
		t.Fatalf("colour %q: %v", colour, err)
	}
	linear := func(shift int) float64 {
		c := float64(rgb>>shift&255) / 255
		if c <= 0.04045 {
			return c / 12.92
		}
		return math.Pow((c+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(16) + 0.7152*linear(8) + 0.0722*linear(0)
}

// document is a parsed page with the data that its elements are compared with.
type document struct {
	elements []*html.Node
	ids      map[string]int
	count    map[string]int
	labels   map[string]bool
}

func parse(t *testing.T, s sample) document {
	t.Helper()
	var page bytes.Buffer
	if err := s.render(&page); err != nil {
		t.Fatalf("%s: %v", s.name, err)
	}
	root, err := html.Parse(&page)
	if err != nil {
		t.Fatal(err)
	}
	d := document{ids: map[string]int{}, count: map[string]int{}, labels: map[string]bool{}}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		d.elements = append(d.elements, n)
		d.ids[attr(n, "id")]++
		d.count[n.Data]++
		d.labels[attr(n, "for")] = true
	}
	return d
}

func has(n *html.Node, key string) bool {
	for _, a := range n.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func text(n *html.Node) string {
	var words strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			words.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(words.String())
}

func hidden(form *html.Node, name string) string {
	for n := range form.Descendants() {
		if n.Data == "input" && attr(n, "type") == "hidden" && attr(n, "name") == name {
			return attr(n, "value")
		}
	}
	return ""
}
