package pages

import (
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/a-h/templ"
	"github.com/goccy/go-yaml"
	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// words are the texts of the pages in one language: HTML with {placeholders}, by keys such as login.title.
type words struct {
	tag   language.Tag
	texts map[string]string
	base  string // the path of the issuer, before the links in the texts
}

// dictionary is the file of one language. It is read once, for the first page in that language.
type dictionary struct {
	tag  language.Tag
	read func() (words, error)
}

// listLanguages finds languages/<tag>.yaml of each language, English first.
func listLanguages(files fs.FS) ([]dictionary, error) {
	names, err := fs.Glob(files, "languages/*.yaml")
	if err != nil {
		return nil, err
	}
	all := []dictionary{{}}
	for _, name := range names {
		tag, err := language.Parse(strings.TrimSuffix(path.Base(name), ".yaml"))
		if err != nil {
			return nil, fmt.Errorf("%s: the file's name is no language (BCP 47), such as de or pt-BR: %w", name, err)
		}
		one := dictionary{tag, sync.OnceValues(func() (words, error) {
			texts, err := readLanguage(files, name)
			return words{tag: tag, texts: texts}, err
		})}
		if tag == language.English {
			all[0] = one
		} else {
			all = append(all, one)
		}
	}
	if all[0].read == nil {
		return nil, errors.New("languages/en.yaml is missing: it is the language for people who read none of the others")
	}
	return all, nil
}

// compareAll compares all languages with English, the first: they must have the same keys, placeholders and HTML.
func compareAll(languages []dictionary) error {
	english, err := languages[0].read()
	if err != nil {
		return err
	}
	var problems []error
	for _, other := range languages[1:] {
		in, err := other.read()
		if err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, compare("languages/"+other.tag.String()+".yaml", in.texts, english.texts)...)
	}
	return errors.Join(problems...)
}

func readLanguage(files fs.FS, name string) (map[string]string, error) {
	text, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	texts := map[string]string{}
	if err := flatten(texts, "", tree); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return texts, nil
}

// flatten puts the tree's leaves into texts, by their path.
func flatten(texts map[string]string, above string, tree map[string]any) error {
	for name, below := range tree {
		key := above + name
		switch below := below.(type) {
		case string:
			texts[key] = below
		case map[string]any:
			if err := flatten(texts, key+".", below); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is %T: write a text, in quotes if need be, or texts below it", key, below)
		}
	}
	return nil
}

// compare returns the differences from English. Plural forms may differ, but each language has the form other.
func compare(file string, texts, english map[string]string) (problems []error) {
	for key, want := range english {
		got, ok := texts[key]
		switch {
		case !ok && pluralForm(key):
		case !ok:
			problems = append(problems, fmt.Errorf("%s has no text for %s; in English it is %q", file, key, want))
		case !slices.Equal(fixedParts(got), fixedParts(want)):
			problems = append(problems, fmt.Errorf("%s: %s has the placeholders and HTML %q; in English they are %q", file, key,
				fixedParts(got), fixedParts(want)))
		}
	}
	for key := range texts {
		if _, ok := english[key]; !ok && !pluralForm(key) {
			problems = append(problems, fmt.Errorf("%s has a text for %s, which English has not: remove it, or add it there",
				file, key))
		}
	}
	return problems
}

// pluralForm reports whether the key is a plural form that not every language needs: a CLDR category except other.
func pluralForm(key string) bool {
	return slices.Contains([]string{".zero", ".one", ".two", ".few", ".many"}, path.Ext(key))
}

var fixedPart = regexp.MustCompile(`\{[^}]*\}|<[^>]*>`)

// fixedParts are the placeholders and the HTML of a text, sorted, since word order differs.
func fixedParts(text string) []string {
	return slices.Sorted(slices.Values(fixedPart.FindAllString(text, -1)))
}

// say is the text of key as HTML, with values for its placeholders: a name, its value, the next name …
//
//	@in.say("login.heading_app", "app", p.Client.Name())
//
// A string becomes escaped text in a <bdi>, because its direction may be another one. A time is a date in the language,
// and a duration is how long ago something was.
// An int is formatted for the language; the int named n chooses the plural form.
func (w words) say(key string, pairs ...any) templ.Component { return templ.Raw(w.fill(key, pairs)) }

func (w words) fill(key string, pairs []any) (string, error) {
	var values []string
	for i := 0; i+1 < len(pairs); i += 2 {
		name, _ := pairs[i].(string)
		placeholder := "{" + name + "}"
		switch value := pairs[i+1].(type) {
		case string:
			values = append(values, placeholder, `<bdi class="break">`+html.EscapeString(value)+`</bdi>`)
		case time.Time:
			values = append(values, placeholder, w.date(value))
		case time.Duration:
			values = append(values, placeholder, w.ago(value))
		case int:
			values = append(values, placeholder, message.NewPrinter(w.tag).Sprint(value))
			if name == "n" {
				key = w.plural(key, value)
			}
		default:
			return "", fmt.Errorf("the text %s takes no %T for {%s}", key, value, name)
		}
	}
	text, ok := w.texts[key]
	if !ok {
		return "", fmt.Errorf("languages/%s.yaml has no text for %s", w.tag, key)
	}
	text = strings.ReplaceAll(text, `href="/`, `href="`+html.EscapeString(w.base)+`/`)
	return strings.NewReplacer(values...).Replace(text), nil
}

// text is the text of key for an attribute. The text must have no HTML in it.
func (w words) text(key string) (string, error) { return w.fill(key, nil) }

// plural is the key of the plural form of n; the form other if there is no text for it.
func (w words) plural(key string, n int) string {
	form := map[plural.Form]string{plural.Zero: ".zero", plural.One: ".one", plural.Two: ".two", plural.Few: ".few",
		plural.Many: ".many"}
	counted := key + form[plural.Cardinal.MatchPlural(w.tag, n, 0, 0, 0, 0)]
	if _, ok := w.texts[counted]; ok && counted != key {
		return counted
	}
	return key + ".other"
}

// date is the time as a <time> element in the language.
func (w words) date(at time.Time) string {
	at = at.UTC()
	month := w.texts["date.months"]
	if months := strings.Fields(month); len(months) == 12 {
		month = months[at.Month()-1]
	}
	in := strings.NewReplacer("{day}", strconv.Itoa(at.Day()), "{month}", month, "{year}", strconv.Itoa(at.Year()),
		"{time}", at.Format("15:04"))
	return `<time datetime="` + at.Format(time.RFC3339) + `">` + in.Replace(w.texts["date.format"]) + `</time>`
}

// ago is a past time, by its distance from now, in whole minutes, hours or days.
func (w words) ago(d time.Duration) string {
	key, n := "date.ago.days", int(d.Hours()/24)
	switch {
	case d < time.Minute:
		return w.texts["date.ago.now"]
	case d < time.Hour:
		key, n = "date.ago.minutes", int(d.Minutes())
	case d < 24*time.Hour:
		key, n = "date.ago.hours", int(d.Hours())
	}
	return strings.ReplaceAll(w.texts[w.plural(key, n)], "{n}", strconv.Itoa(n))
}

// describes reports whether the scope has a description.
func (w words) describes(s ScopeText) bool {
	return s.Description != "" || w.texts["scope."+s.Name] != ""
}

// scope is the description of a scope: from the configuration, else from the language file.
func (w words) scope(s ScopeText) templ.Component {
	if s.Description != "" {
		return plain(s.Description)
	}
	return templ.Raw(w.texts["scope."+s.Name])
}

// plain is a text that is no HTML.
func plain(text string) templ.Component { return templ.Raw(html.EscapeString(text)) }

// withCode is a text of which the parts between backticks are code, as in Markdown.
func withCode(text string) templ.Component {
	var escaped strings.Builder
	for i, part := range strings.Split(html.EscapeString(text), "`") {
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		escaped.WriteString(part)
	}
	return templ.Raw(escaped.String())
}

// Languages lists the languages of the pages, English first, as BCP 47 tags: ui_locales_supported.
func (p *Pages) Languages() []string {
	tags := make([]string, len(p.languages))
	for i, w := range p.languages {
		tags[i] = w.tag.String()
	}
	return tags
}

// maxLocales limits the work that a request can cause.
const maxLocales = 32

// Language chooses the language of an answer: the first of uiLocales with a matching language; else the best match for
// Accept-Language (RFC 9110 §12.5.4); else English. Core §3.1.2.1: ui_locales is the "End-User's preferred languages
// and scripts for the user interface, represented as a space-separated list of BCP47 language tag values, ordered by
// preference. […] An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID
// Provider."
func (p *Pages) Language(r *http.Request, uiLocales string) string {
	if tag, ok := p.match(readLocales(uiLocales)); ok {
		return tag
	}
	accepted, _, err := language.ParseAcceptLanguage(strings.Join(r.Header.Values("Accept-Language"), ","))
	if err != nil {
		return p.Languages()[0]
	}
	tag, _ := p.match(accepted)
	return tag
}

// readLocales omits values that are not language tags.
func readLocales(uiLocales string) (wanted []language.Tag) {
	for _, locale := range strings.Fields(uiLocales) {
		if tag, err := language.Parse(locale); err == nil && len(wanted) < maxLocales {
			wanted = append(wanted, tag)
		}
	}
	return wanted
}

// match is the best language for the first wanted tag that has one; English and false if no tag has one.
func (p *Pages) match(wanted []language.Tag) (string, bool) {
	for _, tag := range wanted {
		base, _ := tag.Base()
		// another script is better than another language
		for _, tag := range []language.Tag{tag, language.Make(base.String())} {
			if _, i, confidence := p.matcher().Match(tag); confidence > language.Low {
				return p.languages[i].tag.String(), true
			}
		}
	}
	return p.languages[0].tag.String(), false
}
