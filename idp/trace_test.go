package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// flows are what the trace holds, the oldest first.
func flows(p *idptest.Provider) []trace.Flow {
	all := p.Trace().Flows()
	slices.Reverse(all)
	return all
}

// onlyFlow is the one flow there should be.
func onlyFlow(t *testing.T, p *idptest.Provider) trace.Flow {
	t.Helper()
	all := flows(p)
	if len(all) != 1 {
		text, _ := json.MarshalIndent(all, "", " ")
		t.Fatalf("there are %d flows, want one:\n%s", len(all), text)
	}
	return all[0]
}

func endpoints(f trace.Flow) string {
	var names []string
	for _, record := range f.Records {
		names = append(names, record.Endpoint)
	}
	return strings.Join(names, " ")
}

func codes(f trace.Flow) string {
	var list []string
	for _, reason := range f.Reasons {
		list = append(list, reason.Code)
	}
	return strings.Join(list, " ")
}

func TestTheRequestsOfOneRenewalAreOneFlow(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	p.Trace().Reset()
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))
	b.GetWithToken("/userinfo", tokens["access_token"].(string))
	f := onlyFlow(t, p)
	if got := endpoints(f); got != "authorize token userinfo" {
		t.Errorf("the flow has %q", got)
	}
	if f.State != trace.FlowDone || !f.Silent || f.ClientID != "spa" || len(f.Reasons) != 0 {
		t.Errorf("the flow is %+v", f)
	}
}

func TestTheRequestsOfOneSignInAreOneFlow(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	page := b.Get(b.Authorize(idptest.Request("spa")).Location.String())
	page = b.Submit(page, url.Values{"username": {"alice"}, "password": {"alice"}})
	page = b.Get(page.Location.String())
	b.Tokens("spa", page.Location.Query().Get("code"))
	if f := onlyFlow(t, p); endpoints(f) != "authorize login login authorize token" || f.Silent {
		t.Errorf("the flow has %q: %+v", endpoints(f), f)
	}
}

func TestEachSilentRequestIsAFlowOfItsOwnAlsoWithTheSameState(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	for range 3 {
		b.Authorize(idptest.Request("spa", "prompt", "none"))
	}
	if got := len(flows(p)); got != 3 {
		t.Errorf("there are %d flows; want 3", got)
	}
}

// TestTheTraceHoldsNoSecret: whatever travels is searched for in all that the trace shows.
func TestTheTraceHoldsNoSecret(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	var secrets []string
	for _, cookie := range b.Cookies() {
		secrets = append(secrets, cookie.Value)
	}
	code := b.Code(idptest.Request("web", "prompt", "none"))
	tokens := b.Tokens("web", code)
	b.GetWithToken("/userinfo", tokens["access_token"].(string))
	b.Authorize(idptest.Request("web", "prompt", "none", "id_token_hint", tokens["id_token"].(string)))
	b.Post(
		"/token",
		url.Values{
			"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"web"}, "client_secret": {"not the secret"},
		},
	)
	for _, name := range []string{"access_token", "id_token"} {
		token := tokens[name].(string)
		secrets = append(secrets, token, token[strings.LastIndex(token, ".")+1:])
	}
	secrets = append(secrets, code, idptest.CodeVerifier, "web-secret", "not the secret")
	shown, err := json.Marshal(p.Trace().Flows())
	if err != nil {
		t.Fatal(err)
	}
	text := string(shown)
	for _, f := range p.Trace().Flows() {
		text += f.Transcript() + f.Mermaid()
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the trace shows %s", secret)
		}
	}
	if strings.Contains(text, `"password","text":"alice"`) {
		t.Error("the trace shows the password")
	}
}

func TestThePasswordIsNotInTheTrace(t *testing.T) {
	p := idptest.Start(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Users[0].Password = "correct-horse"
	})
	b := p.Browser(t)
	b.Submit(b.Get("/login"), url.Values{"username": {"alice"}, "password": {"correct-horse"}})
	shown, err := json.Marshal(p.Trace().Flows())
	if err != nil || strings.Contains(string(shown), "correct-horse") {
		t.Errorf("%v; the trace shows\n%s", err, shown)
	}
	if !strings.Contains(string(shown), `"kind":"sign_in"`) {
		t.Errorf("the sign-in is not in the trace:\n%s", shown)
	}
}

// withMoreClients adds one that is not first-party, and one whose tokens live for a minute.
func withMoreClients(c *idp.Config) {
	*c = c.WithDefaults()
	other, brief := c.Clients[0], c.Clients[0]
	other.ClientID, other.FirstParty = "other", false
	brief.ClientID, brief.AccessTokenLifetime = "brief", time.Minute
	c.Clients = append(c.Clients, other, brief)
}

// forward moves the provider's clock.
func forward(t *testing.T, p *idptest.Provider, d time.Duration) {
	t.Helper()
	if err := p.Lab().Clock.Forward(d); err != nil {
		t.Fatal(err)
	}
}

// tokenForm redeems a code of idptest.Request("spa").
func tokenForm(code string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
}

// redeem gets a code silently and redeems it, with a parameter changed if one is named.
func redeem(b *idptest.Browser, change ...string) url.Values {
	form := tokenForm(b.Code(idptest.Request("spa", "prompt", "none")))
	if len(change) == 2 {
		form.Set(change[0], change[1])
	}
	b.Post("/token", form)
	return form
}

// reasonRows are requests that fail, and the reason that the trace gives.
var reasonRows = []struct {
	want string
	do   func(t *testing.T, p *idptest.Provider, b *idptest.Browser)
}{
	{"session.none", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		p.Browser(t).Authorize(idptest.Request("spa", "prompt", "none"))
	}},
	{"session.expired", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		for range 12 {
			forward(t, p, 61*time.Minute)
			b.Authorize(idptest.Request("spa", "prompt", "none"))
		}
	}},
	{"session.idle", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		forward(t, p, 121*time.Minute)
		b.Authorize(idptest.Request("spa", "prompt", "none"))
	}},
	{"session.signed_out", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		cookies := b.Cookies()
		b.Submit(b.Get("/logout"), url.Values{"decision": {"sign_out"}})
		b.SetCookies(cookies)
		b.Authorize(idptest.Request("spa", "prompt", "none"))
	}},
	{"session.cookie_unreadable", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		var broken []*http.Cookie
		for _, cookie := range b.Cookies() {
			broken = append(broken, &http.Cookie{Name: cookie.Name, Value: "x" + cookie.Value})
		}
		b.SetCookies(broken)
		b.Authorize(idptest.Request("spa", "prompt", "none"))
	}},
	{"session.too_old", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		forward(t, p, 2*time.Minute)
		b.Authorize(idptest.Request("spa", "prompt", "none", "max_age", "60"))
	}},
	{"session.other_user", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "login_hint", "bob"))
	}},
	{"hint.unreadable", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "id_token_hint", "forged"))
	}},
	{"consent.missing", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "client_id", "other"))
	}},
	{"account.ambiguous", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.SignIn("bob")
		b.Authorize(idptest.Request("spa", "prompt", "none"))
	}},
	{"redirect.unregistered", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "redirect_uri", "http://localhost:9090/silent.html"))
	}},
	{"client.unknown", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "client_id", "nope"))
	}},
	{"pkce.missing", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "code_challenge", "", "code_challenge_method", ""))
	}},
	{"pkce.mismatch", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		redeem(b, "code_verifier", strings.Repeat("x", 43))
	}},
	{"code.replayed", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		form := redeem(b)
		b.Post("/token", form)
	}},
	{"code.expired", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		code := b.Code(idptest.Request("spa", "prompt", "none"))
		forward(t, p, 61*time.Second)
		b.Post("/token", tokenForm(code))
	}},
	{"token.short_lived", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		form := tokenForm(b.Code(idptest.Request("spa", "prompt", "none", "client_id", "brief")))
		form.Set("client_id", "brief")
		b.Post("/token", form)
	}},
	{"claims.unasked", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Post("/token",
			tokenForm(b.Code(idptest.Request("spa"))))
	}},
	{"renewal.looping", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		for range 8 {
			b.Authorize(idptest.Request("spa", "prompt", "none"))
		}
	}},
	{"callback.nested", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		hidden(
			t, p, idptest.Request("spa", "prompt", "none"),
			append(frame[:8:8], "Referer", "http://localhost:9090/spa/callback.html?code=x")...,
		)
	}},
	{"page.in_iframe", func(t *testing.T, p *idptest.Provider, _ *idptest.Browser) {
		hidden(t, p, idptest.Request("spa", "prompt", "none", "client_id", "nope"), frame...)
	}},
	{"origin.not_allowed", func(t *testing.T, p *idptest.Provider, _ *idptest.Browser) {
		serve(p, get(t, http.MethodPost, p.Issuer+"/token", tokenForm("x"), "Origin", "https://elsewhere.test"))
	}},
	{"clock.skew", func(t *testing.T, p *idptest.Provider, b *idptest.Browser) {
		forward(t, p, 10*time.Minute)
		redeem(b)
	}},
	{"client.authentication", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		form := tokenForm("x")
		form.Set("client_id", "web")
		b.Post("/token", form)
	}},
	{"code.unknown", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) { b.Post("/token", tokenForm("x")) }},
	{"code.foreign", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		redeem(b, "redirect_uri", "http://localhost:9090/callback")
	}},
	{
		"token.invalid",
		func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) { b.GetWithToken("/userinfo", "e30.e30.x") },
	},
	{"request.malformed", func(_ *testing.T, _ *idptest.Provider, b *idptest.Browser) {
		b.Authorize(idptest.Request("spa", "prompt", "none", "response_type", ""))
	}},
}

// TestWhatTheTraceDoesNotTakeForAFailure: renewals that look like failures and are none.
func TestWhatTheTraceDoesNotTakeForAFailure(t *testing.T) {
	for _, row := range []struct{ name, redirectURI, referer string }{
		{"RFC 6749 §3.1.2 a redirect_uri without a path", "http://localhost:3000", "http://localhost:3000/"},
		{
			"a start page that is the redirect_uri, of which the browser tells the origin", "http://localhost:3000/",
			"http://localhost:3000/",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, func(c *idp.Config) {
				*c = c.WithDefaults()
				c.Clients[0].RedirectURIs = []string{row.redirectURI}
			})
			b := p.Browser(t)
			b.SignIn("alice")
			p.Trace().Reset()
			params := idptest.Request("spa", "prompt", "none", "redirect_uri", row.redirectURI)
			r := get(
				t, http.MethodGet, p.Issuer+"/authorize?"+params.Encode(), nil, append(frame[:6:6], "Referer", row.referer)...,
			)
			r.RequestURI = ""
			form := tokenForm(b.Do(r).Location.Query().Get("code"))
			form.Set("redirect_uri", row.redirectURI)
			b.Post("/token", form)
			if f := onlyFlow(t, p); codes(f) != "" || f.State != trace.FlowDone || f.Records[0].Location != row.redirectURI ||
				len(f.Records[0].Answer) != 4 {
				t.Errorf("the flow is %s, with the reasons %q: %+v", f.State, codes(f), f.Records[0])
			}
		})
	}
}

// TestTheStepsOfARefusal: what was refused is a step, and not only the error in the end.
func TestTheStepsOfARefusal(t *testing.T) {
	for _, row := range []struct {
		name, want string
		do         func(p *idptest.Provider, b *idptest.Browser)
	}{
		{"RFC 6749 §4.1.2.1 an unknown client", "client failed, error failed", func(_ *idptest.Provider, b *idptest.Browser) {
			b.Authorize(idptest.Request("spa", "client_id", "nope"))
		}},
		{"RFC 6749 §4.1.2.1 an unregistered redirect_uri", "client ok, redirect_uri failed, error failed",
			func(_ *idptest.Provider, b *idptest.Browser) {
				b.Authorize(idptest.Request("spa", "redirect_uri", "http://localhost:9090/spa/calback.html"))
			}},
		{"RFC 6749 §5.2 a wrong client_secret", "client failed, error failed", func(_ *idptest.Provider, b *idptest.Browser) {
			b.Post(
				"/token",
				url.Values{"grant_type": {"authorization_code"}, "client_id": {"web"}, "client_secret": {"wrong"}, "code": {"x"}},
			)
		}},
		{"an error of the failure lab, in whose way no session was looked for", "client ok, redirect_uri ok, rule ok, " +
			"fault noted, error failed", func(p *idptest.Provider, b *idptest.Browser) {
			p.Fail(t, lab.Fault{Fault: lab.Error, Error: oidc.TemporarilyUnavailable})
			b.Authorize(idptest.Request("spa", "prompt", "none"))
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			row.do(p, p.Browser(t))
			f := onlyFlow(t, p)
			var steps []string
			for _, step := range f.Records[0].Steps {
				steps = append(steps, string(step.Kind)+" "+string(step.Outcome))
			}
			if got := strings.Join(slices.Compact(steps), ", "); got != row.want {
				t.Errorf("the steps are %s; want %s", got, row.want)
			}
			text, _ := json.Marshal(f)
			if nearest := `{"name":"nearest","text":"http://localhost:9090/spa/callback.html"}`; strings.Contains(
				row.want, "redirect_uri failed",
			) && !strings.Contains(string(text), nearest) {
				t.Errorf("the flow does not name the nearest redirect URI:\n%s", text)
			}
		})
	}
}

func TestTheTraceNamesEachReason(t *testing.T) {
	for _, row := range reasonRows {
		t.Run(row.want, func(t *testing.T) {
			p := idptest.Start(t, withMoreClients)
			b := p.Browser(t)
			b.SignIn("alice")
			p.Trace().Reset()
			row.do(t, p, b)
			all := p.Trace().Flows()
			if len(all) == 0 || !slices.Contains(strings.Fields(codes(all[0])), row.want) {
				text, _ := json.MarshalIndent(all, "", " ")
				t.Errorf("the newest flow has other reasons:\n%s", text)
			}
		})
	}
}
