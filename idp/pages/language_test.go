package pages_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/static"
)

func ourPages(t *testing.T) *pages.Pages {
	t.Helper()
	p, err := pages.New(static.IDP())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestLanguages(t *testing.T) {
	if diff := cmp.Diff([]string{"en", "de", "es", "fr", "ja"}, ourPages(t).Languages()); diff != "" {
		t.Errorf("Discovery §3 ui_locales_supported (-want +got):\n%s", diff)
	}
}

var languageRows = []struct {
	name, uiLocales, accept, want string
}{
	{"Core §3.1.2.1 without ui_locales the browser says it", "", "de", "de"},
	{"Core §3.1.2.1 ui_locales comes before what the browser says", "fr", "de", "fr"},
	{"Core §3.1.2.1 ui_locales is in order of preference", "ja fr de", "", "ja"},
	{"Core §3.1.2.1 a locale that is not supported is no error: the next one counts", "nl pt fr", "", "fr"},
	{"Core §3.1.2.1 if none is supported, the browser says it", "nl pt", "es", "es"},
	{"Core §3.1.2.1 if none is supported at all, it is English", "nl pt", "ko, th;q=0.5", "en"},
	{"Core §3.1.2.1 fr-CA is understood by French", "fr-CA fr en", "", "fr"},
	{"Core §3.1.2.1 ja-Kana-JP, with a script, is understood by Japanese", "ja-Kana-JP", "", "ja"},
	{"Core §3.1.2.1 English of any country is English", "en-GB de", "", "en"},
	{"Core §3.1.2.1 what is no BCP47 tag is passed over", "x! ---- \u202e de", "", "de"},
	{"Core §3.1.2.1 tags are compared without case", "DE-at", "", "de"},
	{"BCP 47 the speakers of Swiss German read German", "gsw", "", "de"},
	{"Core §3.1.2.1 ui_locales without end", strings.Repeat("nl ", 10000) + "de", "fr", "fr"},
	{"RFC 9110 §12.5.4 the weights count, not the order", "", "de;q=0.5, fr;q=0.9, *;q=0.1", "fr"},
	{"RFC 9110 §12.5.4 a language that is not supported leads to the next", "", "nl, es;q=0.5", "es"},
	{"RFC 9110 §12.5.4 what cannot be read asks for nothing", "", "de;q=yes", "en"},
	{"RFC 9110 §12.5.4 without the field it is English", "", "", "en"},
}

func TestLanguage(t *testing.T) {
	p := ourPages(t)
	for _, row := range languageRows {
		t.Run(row.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/login", nil)
			if row.accept != "" {
				r.Header.Set("Accept-Language", row.accept)
			}
			if got := p.Language(r, row.uiLocales); got != row.want {
				t.Errorf("the page is in %s; want %s", got, row.want)
			}
		})
	}
}

// TestThePagesSpeakEachLanguage renders each page in each language.
func TestThePagesSpeakEachLanguage(t *testing.T) {
	p := ourPages(t)
	for _, language := range append(p.Languages(), "", "tlh") {
		for _, page := range everyPage(language) {
			w := httptest.NewRecorder()
			if err := p.Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
				t.Errorf("%T in %q: %v", page, language, err)
				continue
			}
			want := language
			if !slices.Contains(p.Languages(), language) {
				want = "en"
			}
			if body := w.Body.String(); !strings.Contains(body, `<html lang="`+want+`">`) ||
				w.Header().Get("Content-Language") != want {
				t.Errorf("RFC 9110 §8.5 %T in %q has Content-Language %s:\n%s", page, language, w.Header().Get("Content-Language"),
					body)
			} else if left := leftOpen.FindString(body); left != "" {
				t.Errorf("%T in %s has %s, which has no value", page, language, left)
			}
		}
	}
}
