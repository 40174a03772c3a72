package pages_test

import (
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
)

// leftOpen is a placeholder that became nothing; JSON and the like have quotes after the brace.
var leftOpen = regexp.MustCompile(`\{[a-z_]+\}`)

// textRows are languages that New refuses, beside this English.
const english = `
login: {title: Sign in, heading_app: "Sign in to <b>{app}</b>"}
wait: {one: one second, other: "{n} seconds"}
`

var textRows = []struct{ name, file, text, says string }{
	{"each language has each text", "de.yaml", `{login: {title: Anmelden}, wait: {other: "{n} Sekunden"}}`,
		"de.yaml has no text for login.heading_app"},
	{"no language has a text that English has not", "de.yaml", german("more: mehr"), "de.yaml has a text for login.more"},
	{"the placeholders are those of English", "de.yaml", german(`heading_app: "Weiter zu <b>{client}</b>"`),
		`["</b>" "<b>" "{client}"]; in English they are ["</b>" "<b>" "{app}"]`},
	{"the HTML is that of English", "de.yaml", german(`heading_app: "Weiter zu {app}"`), "de.yaml: login.heading_app"},
	{"a text is a text", "de.yaml", german("title: 7"), "login.title is uint64"},
	{"each counted text has the form other", "de.yaml",
		`{login: {title: Anmelden, heading_app: "<b>{app}</b>"}, wait: {one: eine Sekunde}}`, "no text for wait.other"},
	{"the file can be read", "de.yaml", "login: {", "languages/de.yaml"},
	{"the file is called by its language", "deutsch-german-x.yaml", "{}", "no language (BCP 47)"},
	{"English is there", "en.yaml", "", "languages/en.yaml is missing"},
}

// german has the texts of english, of which change replaces or adds one of login.
func german(change string) string {
	texts := map[string]string{"title": "title: Anmelden", "heading_app": `heading_app: "Weiter zu <b>{app}</b>"`}
	key, _, _ := strings.Cut(change, ":")
	texts[key] = change
	return "{login: {" + strings.Join(slices.Sorted(maps.Values(texts)), ", ") + `}, wait: {other: "{n} Sekunden"}}`
}

func TestLanguagesAgree(t *testing.T) {
	with := func(file, text string) fstest.MapFS {
		files := testFiles()
		files["languages/en.yaml"] = &fstest.MapFile{Data: []byte(english)}
		files["languages/"+file] = &fstest.MapFile{Data: []byte(text)}
		if text == "" {
			delete(files, "languages/"+file)
		}
		return files
	}
	if err := check(with("de.yaml", german(""))); err != nil {
		t.Errorf("a language that has all: %v", err)
	}
	if err := check(with("pt-BR.yaml", german(""))); err != nil {
		t.Errorf("a language of one country: %v", err)
	}
	for _, row := range textRows {
		t.Run(row.name, func(t *testing.T) {
			if err := check(with(row.file, row.text)); err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("Check = %v; want an error that says %s", err, row.says)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	for _, row := range []struct {
		name, language, key string
		pairs               []any
		want                string
	}{
		{"a text", "de", "login.title", nil, "Anmelden"},
		{"a name stays to itself, whatever it is", "fr", "login.heading_app", []any{"app", "<b>& Co"},
			`Connectez-vous pour continuer vers <bdi class="break">&lt;b&gt;&amp; Co</bdi>`},
		{"a name that looks like a placeholder is a name", "en", "error.from_app",
			[]any{"app", "{client_id}", "client_id", "x"},
			`The request came from the app <strong><bdi class="break">{client_id}</bdi></strong> ` +
				`(<code><bdi class="break">x</bdi></code>).`},
		{"one", "en", "error.wait_seconds", []any{"n", 1}, "Try again in one second."},
		{"many", "en", "error.wait_seconds", []any{"n", 30}, "Try again in 30 seconds."},
		{"numbers are written as the language does", "de", "error.wait_seconds", []any{"n", 12345},
			"Versuchen Sie es in 12.345 Sekunden wieder."},
		{"French has the singular for 0 too", "fr", "error.wait_seconds", []any{"n", 0}, "Réessayez dans une seconde."},
		{"Japanese has no plural", "ja", "error.wait_seconds", []any{"n", 1}, "1 秒後にもう一度お試しください。"},
		{"a form without a text is other", "fr", "error.wait_seconds", []any{"n", 1000000},
			"Réessayez dans 1\u00a0000\u00a0000 secondes."},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := ourPages(t).Say(row.language, row.key, row.pairs...)
			if err != nil || got != row.want {
				t.Errorf("%v\ngot  %s\nwant %s", err, got, row.want)
			}
		})
	}
	if text, err := ourPages(t).Say("de", "login.nothing"); err == nil {
		t.Errorf("a key without a text is %q", text)
	}
	if text, err := ourPages(t).Say("de", "login.heading_app", "app", 1.5); err == nil {
		t.Errorf("a value that is no text, number or time makes %q", text)
	}
}

// The title of a page and an attribute show HTML as it is written.
func TestTitlesHaveNoHTML(t *testing.T) {
	p := ourPages(t)
	for _, language := range p.Languages() {
		for key := range englishKeys(t) {
			if key != "signed_out.frame" && !strings.HasSuffix(key, ".title") {
				continue
			}
			if text, err := p.Say(language, key); err != nil || strings.ContainsAny(text, "<&{") {
				t.Errorf("in %s %s is %q (%v); want a text without HTML and placeholders", language, key, text, err)
			}
		}
	}
}

func TestDates(t *testing.T) {
	granted := time.Date(2026, 3, 7, 0, 30, 0, 0, time.FixedZone("CET", 3600)) // still the 6th in UTC
	for language, want := range map[string]string{
		"en": "6 March 2026, 23:30 UTC", "de": "6. März 2026, 23:30 UTC", "fr": "6 mars 2026 à 23:30 UTC",
		"es": "6 de marzo de 2026, 23:30 UTC", "ja": "2026年3月6日 23:30 UTC",
	} {
		w := httptest.NewRecorder()
		page := pages.Home{Frame: pages.Frame{Language: language}, Accounts: []pages.Account{{Username: "alice"}}}
		page.Consents = []pages.Remembered{{Client: oidc.Client{ClientID: "shop"}, GrantedAt: granted}}
		if err := ourPages(t).Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
			t.Fatal(err)
		}
		if want := `<time datetime="2026-03-06T23:30:00Z">` + want + `</time>`; !strings.Contains(w.Body.String(), want) {
			t.Errorf("the home page in %s does not say %s:\n%s", language, want, w.Body)
		}
	}
}

func TestWhenToTryAgain(t *testing.T) {
	for seconds, want := range map[int]string{1: "in one second.", 119: "in 119 seconds.", 120: "in 2 minutes.",
		121: "in 3 minutes."} {
		w := httptest.NewRecorder()
		page := pages.Error{Kind: "too_many", RetryAfter: seconds}
		if err := ourPages(t).Render(w, http.StatusTooManyRequests, page, pages.Policy{}); err != nil ||
			!strings.Contains(w.Body.String(), want) {
			t.Errorf("%v: %d seconds are not %q:\n%s", err, seconds, want, w.Body)
		}
	}
}

// Core §3.1.2.4: a person can decide about a scope only if the page describes it.
func TestEachStandardScopeHasWords(t *testing.T) {
	p := ourPages(t)
	for _, language := range p.Languages() {
		for _, scope := range append(oidc.StandardScope(), oidc.ScopeOffline) {
			w := httptest.NewRecorder()
			page := pages.Consent{Frame: pages.Frame{Language: language, Client: &oidc.Client{ClientID: "shop"}},
				Scopes: pages.DescribeScope(oidc.Scope{scope}, nil)}
			if err := p.Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(`<span>[^<]+</span> <code>` + scope + `</code>`).MatchString(w.Body.String()) {
				t.Errorf("Core §3.1.2.4 in %s there is no description of %s", language, scope)
			}
		}
	}
}

// TestEveryTextIsUsed reads the .templ files: a text that no page shows is one more to translate for nothing, and
// a key that no language has would fail a page.
func TestEveryTextIsUsed(t *testing.T) {
	names, err := filepath.Glob("*.templ")
	if err != nil {
		t.Fatal(err)
	}
	used, call := map[string]bool{}, regexp.MustCompile(`\bin\.(?:say|text)\("([a-z0-9_.]+)"[,)]`)
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range call.FindAllStringSubmatch(string(text), -1) {
			used[match[1]] = true
		}
	}
	keys := englishKeys(t)
	for key := range used {
		if !keys[key] && !keys[key+".other"] {
			t.Errorf("a page says %s, which is not in languages/en.yaml", key)
		}
	}
	for key := range keys {
		counted := strings.TrimSuffix(strings.TrimSuffix(key, ".one"), ".other")
		if !used[key] && !used[counted] && !composed.MatchString(key) {
			t.Errorf("no page says %s: remove it from languages/", key)
		}
	}
}

// composed are the keys that a page composes, or another function reads.
var composed = regexp.MustCompile(`^(tell|scope|date)\.|^error\.[a-z_]+\.(title|lead)$`)

func englishKeys(t *testing.T) map[string]bool {
	t.Helper()
	text, err := fs.ReadFile(static.IDP(), "languages/en.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	addKeys(keys, "", tree)
	return keys
}

func addKeys(keys map[string]bool, above string, tree map[string]any) {
	for name, below := range tree {
		if deeper, ok := below.(map[string]any); ok {
			addKeys(keys, path.Join(above, name), deeper)
			continue
		}
		keys[strings.ReplaceAll(path.Join(above, name), "/", ".")] = true
	}
}
