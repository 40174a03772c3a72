package pages

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// Languages lists the languages that the pages speak, English first, as BCP 47 tags: ui_locales_supported.
func (p *Pages) Languages() []string {
	tags := make([]string, len(p.words))
	for i, w := range p.words {
		tags[i] = w.tag.String()
	}
	return tags
}

// maxLocales is more than anybody reads.
const maxLocales = 32

// Language chooses in which language to answer: the first of uiLocales that there is, or one that its readers understand; else
// what the browser asks for (RFC 9110 §12.5.4); else English. Core §3.1.2.1: ui_locales is the "End-User's preferred languages and
// scripts for the user interface, represented as a space-separated list of BCP47 language tag values, ordered by preference.
// […] An error SHOULD NOT result if some or all of the requested locales are not supported by the OpenID Provider."
func (p *Pages) Language(r *http.Request, uiLocales string) string {
	if spoken, ok := p.spoken(readLocales(uiLocales)); ok {
		return spoken
	}
	accepted, _, err := language.ParseAcceptLanguage(strings.Join(r.Header.Values("Accept-Language"), ","))
	if err != nil {
		return p.Languages()[0]
	}
	spoken, _ := p.spoken(accepted)
	return spoken
}

// readLocales leaves out what is no language tag: an error in one does not make the others worthless.
func readLocales(uiLocales string) (wanted []language.Tag) {
	for _, locale := range strings.Fields(uiLocales) {
		if tag, err := language.Parse(locale); err == nil && len(wanted) < maxLocales {
			wanted = append(wanted, tag)
		}
	}
	return wanted
}

// spoken is the language of ours that suits best, and whether one suits at all. The first one wanted counts most: only
// where none of ours suits it, the next does.
func (p *Pages) spoken(wanted []language.Tag) (string, bool) {
	for _, tag := range wanted {
		base, _ := tag.Base()
		for _, tag := range []language.Tag{tag, language.Make(base.String())} { // in another script better than not at all
			if _, i, confidence := p.matcher.Match(tag); confidence > language.Low {
				return p.words[i].tag.String(), true
			}
		}
	}
	return p.words[0].tag.String(), false
}
