package idp_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// sendJSON sends a document, with a bearer token unless it is "", and returns the answer.
func sendJSON(
	t *testing.T, p *idptest.Provider, method, target string, document any, token string,
) *httptest.ResponseRecorder {
	t.Helper()
	body, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, target, bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return serve(p, r)
}

// object reads the JSON object of an answer with this status.
func object(t *testing.T, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &o); err != nil || w.Code != status {
		t.Fatalf("got %d, %v; want %d:\n%s", w.Code, err, status, w.Body)
	}
	return o
}

// registered registers a client with the redirect URI of the built-in web, and what change says.
func registered(t *testing.T, p *idptest.Provider, change ...any) map[string]any {
	t.Helper()
	document := map[string]any{"redirect_uris": []string{"https://late.test/cb"}}
	for i := 0; i < len(change); i += 2 {
		document[change[i].(string)] = change[i+1]
	}
	return object(t, sendJSON(t, p, http.MethodPost, "/register", document, ""), http.StatusCreated)
}

func TestAClientRegistersAndSignsSomebodyIn(t *testing.T) {
	p := idptest.Start(t, nil)
	client := registered(t, p, "client_name", "Late", "scope", "openid email", "policy_uri", "https://late.test/privacy")
	b := p.Browser(t)
	request := url.Values{
		"client_id": {
			client["client_id"].(string),
		}, "redirect_uri": {"https://late.test/cb"}, "response_type": {"code"}, "scope": {"openid email"},
	}
	login := open(t, b, request)
	if !strings.Contains(login.Body, "Late") || !strings.Contains(login.Body, "https://late.test/privacy") {
		t.Errorf("Registration §2 client_name and policy_uri are shown to the person who signs in:\n%s", login.Body)
	}
	b.SignIn("alice")
	consent := open(t, b, request)
	if !strings.Contains(consent.Body, "consent-allow") {
		t.Fatalf(
			"RFC 7591 §5 a client that registered itself is not trusted, but nobody was asked: %d\n%s", consent.Status,
			consent.Body,
		)
	}
	if !strings.Contains(consent.Body, ">late.test<") {
		t.Errorf("RFC 7591 §5 a client's name may be anybody's: the page has to say where the answer goes:\n%s", consent.Body)
	}
	back := b.Submit(consent, url.Values{"decision": {"allow"}})
	back = b.Get(back.Location.String())
	tokens := object(t, serve(p, basic(get(t, http.MethodPost, "/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {
			back.Location.Query().Get("code"),
		}, "redirect_uri": {"https://late.test/cb"},
	}, "Origin", "https://late.test"), client)), http.StatusOK)
	if claims(t, tokens["id_token"])["aud"] != client["client_id"] {
		t.Errorf("got %v", tokens)
	}
}

func basic(r *http.Request, client map[string]any) *http.Request {
	r.SetBasicAuth(client["client_id"].(string), client["client_secret"].(string))
	return r
}

func TestTheOriginOfARegisteredClientMayReadAnswers(t *testing.T) {
	p := idptest.Start(t, nil)
	ask := func() string {
		return serve(
			p, get(t, http.MethodPost, "/token", url.Values{}, "Origin", "https://late.test"),
		).Header().Get("Access-Control-Allow-Origin")
	}
	before := ask()
	client := registered(t, p)
	during := ask()
	address := strings.TrimPrefix(client["registration_client_uri"].(string), p.Issuer)
	gone := sendJSON(t, p, http.MethodDelete, address, nil, client["registration_access_token"].(string))
	if after := ask(); before != "" || during != "https://late.test" || after != "" || gone.Code != http.StatusNoContent {
		t.Errorf(
			"Fetch §3.2 Access-Control-Allow-Origin is %q, %q after the registration, %q after its end (%d)", before, during,
			after, gone.Code,
		)
	}
}

// registerLate registers a client and returns the path of its configuration and the token for that.
func registerLate(t *testing.T, p *idptest.Provider) (address, token string) {
	t.Helper()
	w := sendJSON(
		t, p, http.MethodPost, "/register", map[string]any{"redirect_uris": []string{"https://late.test/cb"}}, "",
	)
	client := object(t, w, http.StatusCreated)
	if w.Header().Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") {
		t.Errorf("RFC 7591 §3.2.1 the answer is JSON and not stored: %v", w.Header())
	}
	address = strings.TrimPrefix(client["registration_client_uri"].(string), p.Issuer)
	token = client["registration_access_token"].(string)
	return address, token
}

func TestTheAnswersOfRegistration(t *testing.T) {
	p := idptest.Start(t, nil)
	address, token := registerLate(t, p)
	for _, row := range []struct {
		name, method, target, token string
		document                    any
		status                      int
		code                        string
		challenge                   string
	}{
		{
			"RFC 7591 §3.2.2 invalid_redirect_uri is 400", "POST", "/register", "",
			map[string]any{"redirect_uris": []string{"https://a.test/#x"}}, 400, "invalid_redirect_uri", "",
		},
		{
			"RFC 7591 §3.2.2 invalid_client_metadata is 400", "POST", "/register", "",
			map[string]any{"redirect_uris": []string{"https://a.test/"}, "initiate_login_uri": "http://a.test/"}, 400,
			"invalid_client_metadata", "",
		},
		{
			"RFC 7591 §3 a bad initial access token is 401", "POST", "/register", "guess", map[string]any{}, 401,
			"invalid_token", `error="invalid_token"`,
		},
		{"RFC 7592 §2.1 reading is 200", "GET", address, token, nil, 200, "", ""},
		{"RFC 7592 §2.1 a wrong token is 401", "GET", address, "guess", nil, 401, "invalid_token", `error="invalid_token"`},
		{
			"RFC 6750 §3.1 no token is 401 without an error code in the challenge", "GET", address, "", nil, 401,
			"invalid_token", `Bearer realm="` + p.Issuer + `"`,
		},
		{
			"RFC 7592 §2.1 another client's address is 401", "GET", "/register/spa", token, nil, 401, "invalid_token",
			`error="invalid_token"`,
		},
		{
			"RFC 7592 §2.2 an update is 200", "PUT", address, token,
			map[string]any{"client_id": path.Base(address), "redirect_uris": []string{"https://b.test/"}}, 200, "", "",
		},
		{
			"RFC 7592 §2.2 a bad update is 400", "PUT", address, token,
			map[string]any{"redirect_uris": []string{"https://b.test/"}}, 400, "invalid_client_metadata", "",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := sendJSON(t, p, row.method, row.target, row.document, row.token)
			answer := object(t, w, row.status)
			if code, _ := answer["error"].(string); code != row.code ||
				!strings.Contains(w.Header().Get("WWW-Authenticate"), row.challenge) {
				t.Errorf("got %v, %v", answer, w.Header())
			}
			if row.token == "" && row.status == 401 && strings.Contains(w.Header().Get("WWW-Authenticate"), "error=") {
				t.Errorf("the challenge is %q", w.Header().Get("WWW-Authenticate"))
			}
		})
	}
}

// guarded is a public provider where registration is as change says.
func guarded(t *testing.T, change func(*registration.Config)) *idptest.Provider {
	t.Helper()
	return idptest.Start(t, func(c *idp.Config) {
		public(c)
		change(&c.Registration)
	})
}

func TestWhichClientsMayRegisterAtAPublicProvider(t *testing.T) {
	document := map[string]any{"redirect_uris": []string{"https://late.test/cb"}}
	const known = "an-initial-access-token.long-and-random"
	for _, row := range []struct {
		name   string
		config func(*registration.Config)
		token  string
		status int
		said   bool // in the metadata
	}{
		{"Registration §3 off unless the configuration says otherwise", func(*registration.Config) {}, "", 404, false},
		{"Registration §3 open", func(c *registration.Config) { c.Mode = "open" }, "", 201, true},
		{"RFC 7591 §3 token, without one", func(c *registration.Config) { c.Mode = "token" }, "", 401, true},
		{"RFC 7591 §3 token, with a guess", func(c *registration.Config) { c.Mode = "token" }, "guess", 401, true},
		{
			"RFC 7591 §3 token, with a configured one",
			func(c *registration.Config) { c.InitialAccessTokens = []oidc.Secret{oidc.NewSecret(known)} }, known, 201, true,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := guarded(t, row.config)
			if w := sendJSON(t, p, http.MethodPost, "/register", document, row.token); w.Code != row.status {
				t.Errorf("got %d; want %d: %s", w.Code, row.status, w.Body)
			}
			if said := metadata(t, p).RegistrationEndpoint; (said == "https://login.example.com/register") != row.said {
				t.Errorf("Discovery §3 registration_endpoint is %q", said)
			}
		})
	}
}

func TestAMintedInitialAccessToken(t *testing.T) {
	var config idp.Config
	public(&config)
	config.Registration.Mode = "token"
	token, err := idp.InitialAccessToken(config, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	p := guarded(t, func(c *registration.Config) { c.Mode = "token" })
	w := sendJSON(t, p, http.MethodPost, "/register", map[string]any{"grant_types": []string{"client_credentials"}}, token)
	object(t, w, http.StatusCreated)
	config.CookieKeys = []string{strings.Repeat("x", 32)}
	foreign, err := idp.InitialAccessToken(config, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	object(t, sendJSON(t, p, http.MethodPost, "/register", map[string]any{}, foreign), http.StatusUnauthorized)
	config.CookieKeys = nil
	if _, err := idp.InitialAccessToken(config, time.Now); err == nil || !strings.Contains(err.Error(), "cookie_keys") {
		t.Errorf("without cookie_keys: %v", err)
	}
}

func TestRegistrationsOfOneAddressAreLimited(t *testing.T) {
	p := limited(t, func(c *limit.Config) { c.Registration.PerAddress = "2/1h" })
	for range 2 {
		registered(t, p)
	}
	w := sendJSON(t, p, http.MethodPost, "/register", map[string]any{}, "")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v", w.Code, w.Header())
	}
}

// Clients that registered live in the store: so another replica knows them, and they survive a restart.
func TestAnotherProviderOnTheStoreKnowsTheClient(t *testing.T) {
	p := idptest.Start(t, nil)
	client := registered(t, p)
	later, _, err := dev.Provider(
		idp.Config{Issuer: p.Issuer, SigningKeys: []idp.SigningKey{{Alg: "ES256"}}},
		idp.Dependencies{Store: p.Store, Now: time.Now, Log: slog.New(slog.DiscardHandler)},
	)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r := get(
		t, http.MethodGet, "/register/"+client["client_id"].(string), nil, "Authorization",
		"Bearer "+client["registration_access_token"].(string),
	)
	later.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}

func TestWhatIsWrongWithTheConfigurationOfRegistration(t *testing.T) {
	for _, row := range []struct {
		name   string
		config registration.Config
		path   string
	}{
		{"a mode that there is not", registration.Config{Mode: "closed"}, "registration.mode"},
		{
			"tokens, but open for everybody",
			registration.Config{Mode: "open", InitialAccessTokens: []oidc.Secret{oidc.NewSecret("x")}},
			"registration.initial_access_tokens",
		},
		{
			"an empty token", registration.Config{InitialAccessTokens: []oidc.Secret{{}}},
			"registration.initial_access_tokens[0]",
		},
		{
			"RFC 6750 §2.1 a token that no header can carry",
			registration.Config{InitialAccessTokens: []oidc.Secret{oidc.NewSecret("two words")}},
			"registration.initial_access_tokens[0]",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			var config idp.Config
			public(&config)
			config.Registration = row.config
			if err := idp.Validate(config.WithDefaults()); err == nil || !strings.Contains(err.Error(), row.path+":") {
				t.Errorf("got %v; want a problem at %s", err, row.path)
			}
		})
	}
}

func TestTheSectorOfARegisteredClientIsFetched(t *testing.T) {
	p := idptest.Start(t, nil)
	sector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`["https://late.test/cb","https://other.test/cb"]`))
	}))
	defer sector.Close()
	both := []string{"https://late.test/cb", "https://other.test/cb"}
	registered(t, p, "subject_type", "pairwise", "redirect_uris", both, "sector_identifier_uri", sector.URL)
	document := map[string]any{"redirect_uris": []string{"https://third.test/cb"}, "sector_identifier_uri": sector.URL}
	if refused := object(
		t, sendJSON(t, p, http.MethodPost, "/register", document, ""), http.StatusBadRequest,
	); refused["error"] != "invalid_client_metadata" {
		t.Errorf("Registration §5 redirect URIs that the document does not list give %v", refused)
	}
	public := guarded(t, func(c *registration.Config) { c.Mode = "open" })
	document = map[string]any{
		"redirect_uris": both, "sector_identifier_uri": strings.Replace(sector.URL, "http:", "https:", 1),
	}
	if refused := object(
		t, sendJSON(t, public, http.MethodPost, "/register", document, ""), http.StatusBadRequest,
	); refused["error"] != "invalid_client_metadata" {
		t.Errorf("a public provider fetched from this machine: %v", refused)
	}
}

// The certification plan for dynamic clients registers 179 clients within an hour.
func TestRegistrationIsNotLimitedInDevelopmentMode(t *testing.T) {
	document := map[string]any{"redirect_uris": []string{"https://late.test/cb"}}
	developer := idptest.Start(t, nil)
	elsewhere := idptest.Start(t, func(c *idp.Config) {
		public(c)
		c.Registration.Mode = "open"
	})
	for i := range 179 {
		if w := sendJSON(t, developer, http.MethodPost, "/register", document, ""); w.Code != http.StatusCreated {
			t.Fatalf("registration %d gives %d %s", i, w.Code, w.Body)
		}
	}
	for range 60 {
		if w := sendJSON(t, elsewhere, http.MethodPost, "/register", document, ""); w.Code != http.StatusCreated {
			t.Fatalf("got %d %s", w.Code, w.Body)
		}
	}
	w := sendJSON(t, elsewhere, http.MethodPost, "/register", document, "")
	refused := object(t, w, http.StatusTooManyRequests) // RFC 6585 §4
	text, _ := refused["error_description"].(string)
	if w.Header().Get("Retry-After") == "" || refused["error"] != "temporarily_unavailable" ||
		!strings.Contains(text, "registrations from this address") {
		t.Errorf("got %v %v", w.Header(), refused)
	}
}
