package static_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// languages are those of the pages.
func languages(t *testing.T) []string {
	t.Helper()
	provider, err := ours()
	if err != nil {
		t.Fatal(err)
	}
	return provider.Languages()
}

// Every rule holds in every language, and the ids are the same in each.
func TestPagesInEachLanguage(t *testing.T) {
	for _, s := range samples(shop) {
		want := parse(t, s).ids
		for _, language := range languages(t) {
			page := parse(t, s.in(language))
			for _, n := range page.elements {
				for _, rule := range rules {
					if !rule.holds(n, page) {
						t.Errorf("%s in %s: %s: <%s %v>", s.name, language, rule.text, n.Data, n.Attr)
					}
				}
			}
			for id, n := range want {
				if id != "" && page.ids[id] != n {
					t.Errorf("%s has the id %s in English, not in %s", s.name, id, language)
				}
			}
		}
	}
}

// forDevelopers are the pages that exist in English only.
var forDevelopers = []string{"console", "probe", "reason", "reasons"}

var sentence = regexp.MustCompile(`\p{L}{2,}`)

// Text that is the same in English and in Japanese was never translated, unless it is marked as English, or is a name.
func TestNothingIsLeftInEnglish(t *testing.T) {
	for _, s := range samples(shop) {
		if slices.Contains(forDevelopers, s.name) {
			continue
		}
		english := sentences(t, s.in("en"))
		for text := range sentences(t, s.in("ja")) {
			if english[text] {
				t.Errorf("%s: %q is said in English and in Japanese", s.name, text)
			}
		}
	}
}

// sentences are the translated texts of the page.
func sentences(t *testing.T, s sample) map[string]bool {
	t.Helper()
	said := map[string]bool{}
	for _, element := range parse(t, s).elements {
		if isData(element) {
			continue
		}
		for n := range element.ChildNodes() {
			text := strings.TrimSpace(n.Data)
			if n.Type == html.TextNode && sentence.MatchString(text) && !strings.Contains(text, "_") &&
				!slices.Contains(given, text) {
				said[text] = true
			}
		}
	}
	return said
}

// isData tells whether text is the same in every language: code, names, and text marked as English.
func isData(n *html.Node) bool {
	for ; n != nil; n = n.Parent {
		if slices.Contains([]string{"bdi", "code", "pre"}, n.Data) || attr(n, "lang") == "en" ||
			attr(n, "class") == "brand" || attr(n, "class") == "tag bad" {
			return true
		}
	}
	return false
}

// given are texts of the configuration, which are in one language.
var given = []string{"Read your data at the demo API", "openid, profile, email", "discovery"}
