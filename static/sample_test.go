package static_test

import (
	"html/template"
	"io"
	"time"

	"github.com/hush-idp/hush/static"
)

// The shapes here are the contract between the pages and whoever renders them: a page that reads
// a field its shape does not have fails to execute.

type client struct {
	ClientID, ClientName, ClientURI, LogoURI, PolicyURI, TosURI, TokenEndpointAuthMethod string
	RedirectURIs                                                                         []string
}

type account struct{ Sub, Username, Name, Email string }

type user struct{ Username, Name, Email string }

type pair struct{ Name, Value string }

type scope struct{ Name, Description string }

type endpoint struct{ Name, URL string }

type consent struct {
	Client    *client
	Scopes    []string
	GrantedAt time.Time
}

type common struct {
	Title, Issuer, CSRF, Interaction string
	Client                           *client
}

type loginPage struct {
	common
	Username, Error, Reason string
	OneClick                []user
}

type consentPage struct {
	common
	Account account
	Scopes  []scope
}

type accountsPage struct { // select_account and logout
	common
	Accounts []account
}

type signedOutPage struct {
	common
	ReturnTo string
}

type errorPage struct {
	common
	Status                       int
	Code, Description, RequestID string
	Registered                   []string
}

type homePage struct {
	common
	Dev       bool
	Accounts  []account
	Consents  []consent
	Users     []user
	Clients   []client
	Endpoints []endpoint
}

type formPostPage struct {
	common
	Action string
	Values []pair
}

// sample is one page of the provider with data to show it with.
type sample struct {
	name string // of the picture and the test
	file string // without .html
	data any
}

const issuer = "http://localhost:8080"

var (
	shop = &client{
		ClientID: "shop", ClientName: "Corner Shop", ClientURI: "https://shop.example/", PolicyURI: "https://shop.example/privacy",
		TosURI: "https://shop.example/terms", LogoURI: "https://shop.example/logo.svg", TokenEndpointAuthMethod: "client_secret_basic",
		RedirectURIs: []string{"https://shop.example/callback"},
	}
	spa = &client{
		ClientID: "spa", ClientName: "Hush demo: single-page app", TokenEndpointAuthMethod: "none",
		RedirectURIs: []string{"http://localhost:9090/spa/callback.html", "http://app.localhost:9090/spa/callback.html"},
	}
	hostile = &client{
		ClientID: `"><script>alert(1)</script>`, ClientName: `<b onclick=alert(1)>Bank</b>` + "\u202e" + `" style="color:red`,
		ClientURI: "javascript:alert(1)", LogoURI: `javascript:alert("https://")`, PolicyURI: "data:text/html,<script>alert(1)</script>",
		TosURI: `https://evil.test/" onmouseover="alert(1)`,
	}

	alice    = account{"u-alice", "alice", "Alice Adams", "alice@hush.example"}
	accounts = []account{alice, {"u-bob", "bob", "Bob Brown", "bob@hush.example"}}
	users    = []user{
		{"alice", "Alice Adams", "alice@hush.example"}, {"bob", "Bob Brown", "bob@hush.example"},
		{"carol", "Carol Clark", "carol@hush.example"},
	}
	scopes = []scope{
		{"openid", "Know who you are: an identifier that stays the same"}, {"profile", "See your profile: name, picture, birthday, language and the like"},
		{"email", "See your email address"}, {"api.read", "Read your data at the demo API"}, {"https://api.example/very/long/scope.name.readonly", ""},
	}
	endpoints = []endpoint{
		{"authorization_endpoint", issuer + "/authorize"}, {"token_endpoint", issuer + "/token"},
		{"userinfo_endpoint", issuer + "/userinfo"}, {"end_session_endpoint", issuer + "/logout"}, {"jwks_uri", issuer + "/jwks"},
	}
)

func about(title string, c *client) common {
	return common{Title: title, Issuer: issuer, CSRF: "csrf-value", Interaction: "interaction-value", Client: c}
}

// samples gives every page, each in every state worth looking at, as the app c asks for it.
func samples(c *client) []sample {
	granted := time.Date(2026, 11, 3, 9, 30, 0, 0, time.UTC)
	return []sample{
		{"login", "login", loginPage{common: about("Sign in", c), OneClick: users}},
		{"login-again", "login", loginPage{
			common: about("Sign in", c), Username: "alice",
			Error:  "The username or the password is wrong. Check both and try again.",
			Reason: "The app asks you to sign in again, because your last sign-in is more than 5 minutes ago.",
		}},
		{"login-alone", "login", loginPage{common: about("Sign in", nil), OneClick: users}},
		{"consent", "consent", consentPage{about("Permission", c), alice, scopes}},
		{"select_account", "select_account", accountsPage{about("Choose an account", c), accounts}},
		{"select_account-alone", "select_account", accountsPage{about("Choose an account", nil), accounts}},
		{"logout", "logout", accountsPage{about("Sign out", c), accounts}},
		{"logout-alone", "logout", accountsPage{about("Sign out", nil), nil}},
		{"signed_out", "signed_out", signedOutPage{about("Signed out", c), "https://shop.example/bye"}},
		{"signed_out-alone", "signed_out", signedOutPage{about("Signed out", nil), ""}},
		{"error", "error", errorPage{
			about("This address is not registered", c), 400, "invalid_request",
			"The redirect_uri http://localhost:3000/calback is not registered for the client. Expected one of the addresses below. Correct the request, or register this address.",
			"6f1d2c9be07a", []string{"http://localhost:9090/spa/callback.html", "http://app.localhost:9090/spa/callback.html"},
		}},
		{"error-ours", "error", errorPage{about("Something went wrong here", nil), 500, "server_error", "The provider could not answer.", "6f1d2c9be07a", nil}},
		{"home", "home", homePage{
			common: about("Home", nil), Dev: true, Accounts: accounts, Users: users, Clients: []client{*spa, *c}, Endpoints: endpoints,
			Consents: []consent{{c, []string{"openid", "profile", "email"}, granted}},
		}},
		{"home-alone", "home", homePage{common: about("Home", nil), Endpoints: endpoints}},
		{"form_post", "form_post", formPostPage{about("Back to the app", c), "https://shop.example/callback", []pair{{"code", "SplxlOBeZQQYbYS6WxSbIA"}, {"submit", `"><i>`}}}},
	}
}

// render writes the page as the provider does.
func (s sample) render(w io.Writer) error {
	files, entry := []string{"layout.html", s.file + ".html"}, "layout"
	if s.file == "form_post" {
		files, entry = files[1:], "form_post"
	}
	page, err := template.ParseFS(static.IDP(), files...)
	if err != nil {
		return err
	}
	return page.ExecuteTemplate(w, entry, s.data)
}
