package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

func hintSignsIn(c *idp.Config) { c.LoginHintSignsIn = true }

func TestLoginHintSignsIn(t *testing.T) {
	p := idptest.Start(t, hintSignsIn)
	b := p.Browser(t)
	page := b.Get(b.Authorize(idptest.Request("spa", "login_hint", "bob@example.com")).Location.String())
	if page.Location == nil || page.Location.Path != "/authorize" {
		t.Fatalf("the sign-in page was shown: %d\n%s", page.Status, page.Body)
	}
	if sub := subject(t, b, b.Code(page.Location.Query())); sub != "bob" {
		t.Errorf("%v is signed in; want bob", sub)
	}
	if home := b.Get("/").Body; !strings.Contains(home, "login_hint_signs_in is on") {
		t.Error("the home page does not say that login_hint signs in")
	}
	again := b.Authorize(idptest.Request("spa", "login_hint", "bob", "prompt", "login"))
	if page := b.Get(again.Location.String()); page.Location == nil {
		t.Errorf("prompt=login shows a page: %d", page.Status)
	}
}

func TestWhereLoginHintDoesNotSignIn(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*idp.Config)
		hint   string
		header []string
	}{
		{"without the setting", nil, "alice", nil},
		{"a user of nobody", hintSignsIn, "nobody", nil},
		{"a foreign page by its Referer", hintSignsIn, "alice", []string{"Referer", "https://evil.example/"}},
		{"DNS rebinding: a foreign Host", hintSignsIn, "alice", []string{"Host", "rebound.example.com"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, row.change)
			waiting := p.Browser(t).Authorize(idptest.Request("spa", "login_hint", row.hint)).Location
			r := get(t, http.MethodGet, waiting.String(), nil, row.header...)
			if host := r.Header.Get("Host"); host != "" {
				r.Host = host
			}
			if w := serve(p, r); len(w.Header().Values("Set-Cookie")) > 1 || w.Code == http.StatusSeeOther {
				t.Errorf("somebody was signed in: %d %v", w.Code, w.Header())
			}
		})
	}
	t.Run("a browser that loses the cookie", func(t *testing.T) {
		p := idptest.Start(t, hintSignsIn)
		next := p.Browser(t).Authorize(idptest.Request("spa", "login_hint", "alice")).Location
		for range 5 {
			w := serve(p, get(t, http.MethodGet, next.String(), nil))
			if w.Code != http.StatusSeeOther {
				return
			}
			next, _ = next.Parse(w.Header().Get("Location"))
		}
		t.Error("the browser is redirected without end")
	})
}

func TestCodesLiveAsLongAsTheSettingSays(t *testing.T) {
	for _, row := range []struct {
		name     string
		lifetime time.Duration
		wait     time.Duration
		want     int
	}{
		{"the default, in time", 0, 59 * time.Second, 200},
		{"the default, too late", 0, 61 * time.Second, 400},
		{"ten minutes, in time", 10 * time.Minute, 9 * time.Minute, 200},
		{"ten minutes, too late", 10 * time.Minute, 11 * time.Minute, 400},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) { c.CodeLifetime = row.lifetime })
			b := p.Browser(t)
			b.SignIn("alice")
			code := b.Code(idptest.Request("spa"))
			p.Clock.Pass(row.wait)
			page := b.Post("/token", url.Values{"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"},
				"code_verifier": {idptest.CodeVerifier}, "redirect_uri": {idptest.Request("spa").Get("redirect_uri")}})
			if page.Status != row.want {
				t.Errorf("the token endpoint gave %d; want %d: %s", page.Status, row.want, page.Body)
			}
			if row.want == 400 && !strings.Contains(page.Body, "code.expired") {
				t.Errorf("the reason is not that the code expired: %s", page.Body)
			}
		})
	}
}

func TestBuiltInUsersAndClientsAreAdded(t *testing.T) {
	own := idp.Config{
		BuiltIn: true,
		Users:   []users.User{{Username: "dana", Password: "d"}, {Username: "alice", Password: "other"}},
		Clients: []oidc.Client{{ClientID: "mine", RedirectURIs: []string{"http://localhost/cb"},
			TokenEndpointAuthMethod: oidc.AuthMethodNone}},
		Scopes: []idp.Scope{{Name: "mine.read"}},
	}
	c := own.WithDefaults()
	if err := idp.Validate(c); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, user := range c.Users {
		names = append(names, user.Username)
	}
	for _, client := range c.Clients {
		names = append(names, client.ClientID)
	}
	for _, scope := range c.Scopes {
		names = append(names, scope.Name)
	}
	if got := strings.Join(names, " "); got != "dana alice bob carol mine spa web mine.read api.read" ||
		c.Users[1].Password != "other" {
		t.Errorf("there are %s, and alice has the password %s", got, c.Users[1].Password)
	}
	own.BuiltIn = false
	if c := own.WithDefaults(); len(c.Users) != 2 || len(c.Clients) != 1 || len(c.Scopes) != 1 {
		t.Errorf("without built_in there are %d users, %d clients and %d scopes", len(c.Users), len(c.Clients), len(c.Scopes))
	}
}
