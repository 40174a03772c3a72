package static_test

import (
	"io"
	"net/http/httptest"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
)

// sample is one page of the provider with its data.
type sample struct {
	name string // of the picture and the test
	page pages.Page
}

const issuer = "http://localhost:8080"

var (
	shop = &oidc.Client{
		ClientID: "shop", ClientName: "Corner Shop", ClientURI: "https://shop.example/",
		PolicyURI: "https://shop.example/privacy",
		TosURI:    "https://shop.example/terms", LogoURI: "https://shop.example/logo.svg",
		TokenEndpointAuthMethod: "client_secret_basic",
		RedirectURIs:            []string{"https://shop.example/callback"},
	}
	spa = &oidc.Client{
		ClientID: "spa", ClientName: "Hush demo: single-page app", TokenEndpointAuthMethod: "none",
		RedirectURIs: []string{"http://localhost:9090/spa/callback.html", "http://app.localhost:9090/spa/callback.html"},
	}
	hostile = &oidc.Client{
		ClientID: `"><script>alert(1)</script>`, ClientName: `<b onclick=alert(1)>Bank</b>` + "\u202e" + `" style="color:red`,
		ClientURI: "javascript:alert(1)", LogoURI: `javascript:alert("https://")`,
		PolicyURI: "data:text/html,<script>alert(1)</script>",
		TosURI:    `https://evil.test/" onmouseover="alert(1)`,
	}

	alice    = person("alice", "Alice Adams")
	granted  = time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	accounts = []pages.Account{alice, person("bob", "Bob Brown")}
	users    = []pages.Account{
		person("alice", "Alice Adams"), person("bob", "Bob Brown"),
		person("carol", "Carol Clark"),
	}
	scopes = []pages.ScopeText{
		{Name: "openid"}, {Name: "profile"},
		{Name: "email"}, {Name: "offline_access"}, {Name: "api.read", Description: "Read your data at the demo API"},
		{Name: "https://api.example/very/long/scope.name.readonly", Description: ""},
	}
	endpoints = []pages.Endpoint{
		{Name: "authorization_endpoint", URL: issuer + "/authorize"}, {Name: "token_endpoint", URL: issuer + "/token"},
		{Name: "userinfo_endpoint", URL: issuer + "/userinfo"}, {Name: "end_session_endpoint", URL: issuer + "/logout"},
		{Name: "jwks_uri", URL: issuer + "/jwks"},
	}
)

func person(username, name string) pages.Account {
	return pages.Account{Sub: "u-" + username, Username: username, Name: name, Email: username + "@hush.example"}
}

func about(title string, c *oidc.Client) pages.Frame {
	return pages.Frame{Title: title, Issuer: issuer, CSRF: "csrf-value", Interaction: "interaction-value", Client: c}
}

// samples returns every page in every state, for the app c.
func samples(c *oidc.Client) []sample {
	return slices.Concat(accountSamples(c), developerSamples(c), []sample{
		{"login", pages.Login{Frame: about("Sign in", c), OneClick: users}},
		{"login-again", pages.Login{
			Frame: about("Sign in", c), Username: "alice",
			Wrong: true, Reason: "too_old",
		}},
		{"login-alone", pages.Login{Frame: about("Sign in", nil), OneClick: users}},
		{"device", pages.Device{Frame: about("", nil), UserCode: "WDJB-MJHX", Unknown: true}},
		{"device-ask", pages.Device{Frame: about("", c), UserCode: "WDJB-MJHT", Account: alice,
			Another: "/select_account", Scopes: scopes}},
		{"device-allowed", pages.Device{Frame: about("", nil), Decision: "allow"}},
		{"device-denied", pages.Device{Frame: about("", nil), Decision: "deny"}},
		{"consent", pages.Consent{Frame: about("Permission", c), Account: alice, Scopes: scopes}},
		{"select_account", pages.SelectAccount{Frame: about("Choose an account", c), Accounts: accounts}},
		{"select_account-alone", pages.SelectAccount{Frame: about("Choose an account", nil), Accounts: accounts}},
		{"logout", pages.Logout{Frame: about("Sign out", c), Accounts: accounts,
			Notice: "post_logout_redirect_uri https://shop.example/by is not registered for client shop; " +
				"registered: https://shop.example/bye."}},
		{"logout-alone", pages.Logout{Frame: about("Sign out", nil)}},
		{"signed_out", pages.SignedOut{Frame: about("Signed out", c), ReturnTo: "https://shop.example/bye"}},
		{"signed_out-still", pages.SignedOut{Frame: about("Signed out", nil), Still: accounts}},
		{"signed_out-alone", pages.SignedOut{Frame: about("Signed out", nil), ReturnTo: ""}},
		{"error", pages.Error{
			Frame: about("", c), Kind: "redirect_unregistered", Status: 400, Code: "invalid_request",
			Description: "The redirect_uri http://localhost:3000/calback is not registered for the client. " +
				"Expected one of the addresses below. Correct the request, or register this address.",
			RequestID: "6f1d2c9be07a", Registered: []string{"http://localhost:9090/spa/callback.html",
				"http://app.localhost:9090/spa/callback.html"},
		}},
		{"error-ours", pages.Error{Frame: about("", nil), Kind: "failed", Status: 500, Code: "server_error",
			Description: "The provider could not answer.", RequestID: "6f1d2c9be07a"}},
		{"error-too-many", pages.Error{Frame: about("", nil), Kind: "too_many", Status: 429, RetryAfter: 30,
			Code: "temporarily_unavailable", Description: "There were too many requests.", RequestID: "6f1d2c9be07a"}},
		{"form_post", pages.FormPost{
			Frame: about("Back to the app", c), Action: "https://shop.example/callback",
			Values: []pages.Value{{Name: "code", Value: "SplxlOBeZQQYbYS6WxSbIA"}, {Name: "submit", Value: `"><i>`}},
		}},
		{"web_message", pages.WebMessage{Frame: about("Back to the app", c), Target: "https://shop.example",
			Response: `{"code":"SplxlOBeZQQYbYS6WxSbIA","state":"\"><i>"}`}},
	})
}

// developerSamples are the pages for developers: home, reasons, console.
func developerSamples(c *oidc.Client) []sample {
	return []sample{
		{"home", pages.Home{
			Frame: about("Home", nil), Dev: true, Accounts: accounts, Users: users, Clients: []oidc.Client{*spa, *c},
			Endpoints: endpoints,
			Consents:  []pages.Remembered{{Client: *c, Scopes: []string{"openid", "profile", "email"}, GrantedAt: granted}},
		}},
		{"home-alone", pages.Home{Frame: about("Home", nil), Endpoints: endpoints}},
		{"error-remedy", pages.Error{
			Frame: about("", nil), Kind: "client_unknown", Status: 400, Code: "unauthorized_client",
			Description: "client_id shop is not registered.", RequestID: "6f1d2c9be07a",
			Reason: "client.unknown", ReasonURL: issuer + "/reasons/client.unknown", YAML: "clients:\n  - client_id: shop\n",
			TellOrigin: "http://localhost:9090",
			Remedy: &pages.Remedy{ClientID: c.ClientID, RedirectURI: "http://localhost:5173/callback", ReturnTo: "/authorize",
				Token: "csrf-value"},
		}},
		{"reason", pages.Reason{
			Frame: about("session.none", nil), Text: pages.ReasonText{
				Code: "session.none", Title: "Nobody is signed in with this browser",
				Happened:  "No cookie came, so the answer is `login_required`.",
				HowWeKnow: "The request has no cookie.", HowSure: "Certain.", WhatToDo: "Sign in.",
				Spec: []pages.Link{{Text: "OpenID Connect Core §3.1.2.6",
					URL: "https://openid.net/specs/openid-connect-core-1_0.html#AuthError"}},
			},
		}},
		{"reasons", pages.Reasons{Frame: about("Reasons", nil), Groups: []pages.ReasonGroup{{
			Title: "The session and its cookie", Lead: "Nearly all are `login_required`.",
			Reasons: []pages.ReasonText{{Code: "session.none", Title: "Nobody is signed in with this browser"}},
		}}}},
		{"console", pages.Console{Frame: about("Console", nil),
			Issuers: []string{issuer, "http://idp.localhost:8080"}}},
		{"probe", pages.Probe{Frame: about("Probe", nil), Origin: "http://localhost:9090",
			Report: `{"source":"hush-probe"}`}},
	}
}

// accountSamples are the pages about sessions: the list, and the end of one.
func accountSamples(c *oidc.Client) []sample {
	return []sample{
		{"signed_out-going-on", pages.SignedOut{
			Frame: about("Signed out", c), ReturnTo: "https://shop.example/bye",
			Frames: []string{"https://shop.example/out?sid=1"}, Unconfirmed: []oidc.Client{*c},
		}},
		{"account", pages.SignIns{
			Frame: about("Account", nil), People: accounts, Others: true,
			Sessions: []pages.SignIn{
				{Account: accounts[0], SID: "s.1", Browser: "Firefox on Linux", This: true, Since: granted, Seen: 5 * time.Minute},
				{Account: accounts[0], SID: "s.2", Browser: "Safari on iPhone", Since: granted, Seen: 5 * time.Minute},
			},
			Access: []pages.Access{{Account: accounts[0], Client: *c,
				Scopes: []pages.ScopeText{{Name: "email"}, {Name: "orders.read"}}, Since: granted, Lasting: true, Used: granted}},
		}},
		{"account-alone", pages.SignIns{Frame: about("Account", nil)}},
	}
}

// in is the same page in another language.
func (s sample) in(language string) sample {
	page := reflect.New(reflect.TypeOf(s.page)).Elem()
	page.Set(reflect.ValueOf(s.page))
	page.FieldByName("Language").SetString(language)
	s.page = page.Interface().(pages.Page)
	return s
}

// ours are the pages of this provider.
var ours = sync.OnceValues(func() (*pages.Pages, error) { return pages.New(static.IDP()) })

// render renders the page as the provider does.
func (s sample) render(w io.Writer) error {
	provider, err := ours()
	if err != nil {
		return err
	}
	recorder := httptest.NewRecorder()
	if err := provider.Render(recorder, 200, s.page, pages.Policy{}); err != nil {
		return err
	}
	_, err = recorder.Body.WriteTo(w)
	return err
}
