package pages

import (
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// Languages lists the languages of the pages, English first, as BCP 47 tags: ui_locales_supported.
func (p *Pages) Languages() []string {
	tags := make([]string, len(p.words))
	for i, w := range p.words {
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

// readLocales skips values that are no language tags.
func readLocales(uiLocales string) (wanted []language.Tag) {
	for _, locale := range strings.Fields(uiLocales) {
		if tag, err := language.Parse(locale); err == nil && len(wanted) < maxLocales {
			wanted = append(wanted, tag)
		}
	}
	return wanted
}

// spoken is the language that matches the first wanted tag which any language matches, and whether there is one.
func (p *Pages) spoken(wanted []language.Tag) (string, bool) {
	for _, tag := range wanted {
		base, _ := tag.Base()
		// another script is better than another language
		for _, tag := range []language.Tag{tag, language.Make(base.String())} {
			if _, i, confidence := p.matcher.Match(tag); confidence > language.Low {
				return p.words[i].tag.String(), true
			}
		}
	}
	return p.words[0].tag.String(), false
}
