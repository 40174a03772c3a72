package idp_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// spokenPages are the pages that a person sees, each as ui_locales asks for it.
var spokenPages = []struct {
	name string
	see  func(t *testing.T, b *idptest.Browser, locale string) idptest.Page
}{
	{
		"Core §3.1.2.1 ui_locales counts on the sign-in page",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return open(t, b, idptest.Request("spa", "prompt", "login", "ui_locales", locale))
		},
	},
	{
		"Core §3.1.2.1 ui_locales counts when the password was wrong",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			page := open(t, b, idptest.Request("spa", "prompt", "login", "ui_locales", locale))
			return b.Submit(page, url.Values{"username": {"alice"}, "password": {"wrong"}})
		},
	},
	{
		"Core §3.1.2.1 ui_locales counts where an account is chosen",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return open(t, b, idptest.Request("spa", "prompt", "select_account", "ui_locales", locale))
		},
	},
	{
		"Core §3.1.2.1 ui_locales counts where consent is asked",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return open(t, b, idptest.Request("spa", "prompt", "consent", "ui_locales", locale))
		},
	},
	{
		"Core §3.1.2.1 ui_locales counts on the page that posts the answer",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return b.Authorize(idptest.Request("spa", "response_mode", "form_post", "ui_locales", locale))
		},
	},
	{
		"OAuth 2.0 Web Message Response Mode §4 ui_locales counts on the page that posts the message",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return b.Authorize(idptest.Request("spa", "response_mode", "web_message", "ui_locales", locale))
		},
	},
	{
		"Core §3.1.2.1 ui_locales counts on the page of an error that cannot be redirected",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return b.Authorize(idptest.Request("nobody", "ui_locales", locale))
		},
	},
	{
		"RP-Initiated Logout §2 ui_locales counts on the page that asks",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return b.Get("/logout?ui_locales=" + locale)
		},
	},
	{
		"RP-Initiated Logout §2 ui_locales counts on the page after it",
		func(t *testing.T, b *idptest.Browser, locale string) idptest.Page {
			return b.Submit(b.Get("/logout?ui_locales="+locale), url.Values{"decision": {"sign_out"}})
		},
	},
}

func TestUILocales(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, row := range spokenPages {
		t.Run(row.name, func(t *testing.T) {
			for _, locale := range metadata(t, p).UILocalesSupported {
				b := p.Browser(t)
				b.SignIn("alice")
				if page := row.see(t, b, locale); page.Header.Get("Content-Language") != locale {
					t.Errorf(
						"asked in %s, it answers %d in %q:\n%s", locale, page.Status, page.Header.Get("Content-Language"), page.Body,
					)
				}
			}
		})
	}
}

// Without ui_locales the browser says which language its user reads (RFC 9110 §12.5.4), on pages without an application
// too.
func TestAcceptLanguage(t *testing.T) {
	p := idptest.Start(t, nil)
	for path, want := range map[string]string{
		"/": "Ein OpenID-Connect-Anbieter", "/login": "Anmelden", "/logout": "Sie sind abgemeldet",
		"/select_account": "Ein anderes Konto",
		"/nowhere":        "Hier ist nichts", "/consent": "Diese Anfrage lässt sich nicht beantworten",
		"/login?interaction=changed":                                 "Diese Seite ist zu alt",
		"/authorize?client_id=nobody&redirect_uri=https://app.test/": "Diese Anwendung ist nicht registriert",
		"/authorize?client_id=spa&redirect_uri=https://app.test/":    "Diese Adresse ist nicht registriert",
	} {
		w := serve(p, get(t, http.MethodGet, path, nil, "Accept-Language", "de-CH, de;q=0.9, en;q=0.8"))
		wantPage(t, idptest.Page{Status: w.Code, Body: w.Body.String()}, w.Code, want)
		wantPage(t, idptest.Page{Status: w.Code, Body: w.Body.String()}, w.Code, `<html lang="de">`)
	}
	form := url.Values{"username": {"alice"}, "csrf": {"forged"}}
	if w := serve(p, get(t, http.MethodPost, "/login", form, "Accept-Language", "de")); w.Code != http.StatusForbidden {
		t.Errorf("a forged form: %d", w.Code)
	} else {
		wantPage(
			t, idptest.Page{Status: w.Code, Body: w.Body.String()}, http.StatusForbidden,
			"Dieses Formular wird nicht angenommen",
		)
	}
}

// What is written for developers is English, and says so to a screen reader.
func TestDevelopersReadEnglish(t *testing.T) {
	p := idptest.Start(t, nil)
	for _, path := range []string{"/console", "/reasons/", "/reasons/session.none"} {
		w := serve(p, get(t, http.MethodGet, p.Issuer+path, nil, "Accept-Language", "de"))
		wantPage(t, idptest.Page{Status: w.Code, Body: w.Body.String()}, http.StatusOK, `<html lang="en">`)
	}
}
