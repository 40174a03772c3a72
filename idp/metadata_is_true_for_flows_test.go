package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

func tryScope(x truth, scope string) {
	_, tokens := x.tokens(x.client(), "scope", "openid "+scope)
	given, said := tokens["scope"].(string)
	if said && !slices.Contains(strings.Fields(given), scope) {
		x.t.Errorf("%s was allowed, and %q is what was given", scope, given)
	}
	if scope == oidc.ScopeOffline && tokens["refresh_token"] == nil {
		x.t.Error("no refresh token")
	}
}

// tryResponseMode wants the answer where the mode says it is: a code, or a JWT that holds one.
func tryResponseMode(x truth, mode string) {
	name := "code"
	if mode == "jwt" || strings.HasSuffix(mode, ".jwt") {
		name = "response"
	}
	page := x.open(x.request(x.client(), "response_mode", mode))
	var found bool
	switch {
	case strings.HasPrefix(mode, "form_post"):
		found = strings.Contains(page.Body, `action="https://late.test/cb"`) && strings.Contains(page.Body, `name="`+name+`"`)
	case mode == "web_message":
		found = strings.Contains(page.Body, "https://late.test") && strings.Contains(page.Body, "/static/idp/web_message.js")
	case strings.HasPrefix(mode, "fragment"):
		values, err := url.ParseQuery(page.Location.EscapedFragment())
		found = err == nil && values.Has(name) && !page.Location.Query().Has(name)
	default:
		found = page.Location.Query().Has(name)
	}
	if !found {
		x.t.Errorf("no %s where it should be: %d %v\n%s", name, page.Status, page.Location, page.Body)
	}
}

func tryGrantType(x truth, grant string) {
	client := x.client("grant_types", []string{
		oidc.GrantAuthorizationCode, oidc.GrantRefreshToken, oidc.GrantClientCredentials, oidc.GrantDeviceCode,
	})
	form := x.with(client, "grant_type", grant)
	switch grant {
	case oidc.GrantAuthorizationCode:
		form = x.redeem(client, x.authorize(client).Get("code"))
	case oidc.GrantRefreshToken:
		_, tokens := x.tokens(client, "scope", "openid offline_access", "prompt", "consent")
		form.Set("refresh_token", tokens["refresh_token"].(string))
	case oidc.GrantDeviceCode:
		codes := x.granted(x.b.Post("/device_authorization", x.with(client, "scope", "openid")))
		form.Set("device_code", codes["device_code"].(string))
		page := x.b.Get(codes["verification_uri_complete"].(string))
		x.b.Submit(page, url.Values{"decision": {"allow"}})
		x.p.Clock.Pass(10 * time.Second) // the interval
	}
	if tokens := x.granted(x.b.Post("/token", form)); tokens["access_token"] == nil {
		x.t.Errorf("got %v", tokens)
	}
}

func trySubjectType(x truth, kind string) {
	_, tokens := x.tokens(x.client("subject_type", kind))
	x.want(claims(x.t, tokens["id_token"])["sub"] == "alice", kind == oidc.SubjectPublic)
}

func tryPrompt(x truth, prompt string) {
	client := x.client()
	x.authorize(client) // consent is given now
	page := x.b.Authorize(x.request(client, "prompt", prompt))
	shown := map[string]string{
		"none": "/cb", "login": "/login", "consent": "/consent", "select_account": "/select_account",
	}
	if page.Location == nil || page.Location.Path != shown[prompt] {
		x.t.Errorf("leads to %v; want %s", page.Location, shown[prompt])
	}
}

func tryACR(x truth, acr string) {
	client := x.client("default_acr_values", []string{acr})
	_, tokens := x.tokens(client, "acr_values", acr)
	if got, _ := claims(x.t, tokens["id_token"])["acr"].(string); !slices.Contains(x.m.ACRValuesSupported, got) {
		x.t.Errorf("the ID token's acr is %q", got)
	}
}

// tryClaimType: Core §5.6: "Normal Claims MUST be supported": claims that the provider asserts itself.
func tryClaimType(x truth, kind string) {
	if kind != "normal" {
		x.t.Errorf("nothing shows that %s claims work: write it here", kind)
	}
	_, tokens := x.tokens(x.client(), "scope", "openid profile")
	x.want(userinfo(x.t, x.b, tokens).JSON(x.t)["name"], "Alice Archer")
}

// tryClaim wants the claim in the ID token or from userinfo, when all scopes are asked for.
func tryClaim(x truth, claim string) {
	_, tokens := x.tokens(x.client(), "scope", strings.Join(x.m.ScopesSupported, " "))
	if claims(x.t, tokens["id_token"])[claim] == nil && userinfo(x.t, x.b, tokens).JSON(x.t)[claim] == nil {
		x.t.Errorf("neither the ID token nor userinfo has %s", claim)
	}
}

func tryLocale(x truth, locale string) {
	other := x.p.Browser(x.t)
	asked := other.Authorize(x.request(x.client(), "ui_locales", locale))
	page := other.Get(asked.Location.String())
	if !strings.Contains(page.Body, `<html lang="`+locale+`"`) {
		x.t.Errorf("the sign-in page is not in %s", locale)
	}
}

func tryRequestURI(x truth) {
	var object string
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			x.t.Errorf("Core §6.2.3: the request object is fetched by %s", r.Method)
		}
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		_, _ = w.Write([]byte(object))
	}))
	x.t.Cleanup(site.Close)
	client := x.client("request_object_signing_alg", "none", "request_uris", []string{site.URL + "/r"})
	inside := map[string]any{"iss": client["client_id"], "aud": x.p.Issuer, "state": "inside"}
	object = unsigned(x.t, inside)
	x.want(x.authorize(client, "request_uri", site.URL+"/r", "state", "").Get("state"), "inside")
}

// unsigned is a JWT with alg none.
func unsigned(t *testing.T, claims map[string]any) string {
	t.Helper()
	text, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(
		[]byte(`{"alg":"none"}`),
	) + "." + base64.RawURLEncoding.EncodeToString(text) + "."
}

// signOut ends alice's session by the provider's page.
func (x truth) signOut() string {
	x.t.Helper()
	page := x.b.Submit(x.b.Get("/logout"), url.Values{"decision": {"sign_out"}})
	if page.Location != nil {
		page = x.b.Get(page.Location.String())
	}
	return page.Body
}

func tryBackChannel(x truth) {
	told := make(chan string, 4)
	app := httptest.NewServer(
		http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { told <- r.FormValue("logout_token") }),
	)
	x.t.Cleanup(app.Close)
	client := x.client("backchannel_logout_uri", app.URL, "backchannel_logout_session_required", true)
	_, tokens := x.tokens(client)
	x.signOut()
	select {
	case token := <-told:
		x.want(claims(x.t, token)["sid"], claims(x.t, tokens["id_token"])["sid"])
	case <-time.After(20 * time.Second):
		x.t.Error("the client was not told")
	}
}

func tryFrontChannel(x truth) {
	x.tokens(x.client("frontchannel_logout_uri", "https://late.test/out", "frontchannel_logout_session_required", true))
	if body := x.signOut(); !strings.Contains(body, `<iframe src="https://late.test/out?`) {
		x.t.Errorf("no iframe of the client:\n%s", body)
	}
}
