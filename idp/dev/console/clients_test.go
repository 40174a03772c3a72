package console_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// leftOver is a placeholder without a value.
var leftOver = regexp.MustCompile(`\{[a-z_]+\}`)

func TestClients(t *testing.T) {
	h := newFixture(t)
	list := h.json(t, 200, "GET", "/console/clients", "")["clients"].([]any)
	libraries := map[string]string{}
	for _, entry := range list {
		shown := entry.(map[string]any)
		id := shown["client"].(map[string]any)["client_id"].(string)
		for _, s := range shown["settings"].([]any) {
			settings := s.(map[string]any)
			libraries[id] += settings["library"].(string) + " "
			for _, want := range wantedSettings(id, h.Issuer) {
				if text := settings["text"].(string); !strings.Contains(text, want) {
					t.Errorf("the settings of %s for %s lack %s:\n%s", id, settings["library"], want, text)
				}
			}
			if text := settings["text"].(string); leftOver.MatchString(text) || exampleAddress.MatchString(text) {
				t.Errorf("the settings of %s for %s have a value of nobody:\n%s", id, settings["library"], text)
			}
		}
	}
	if !strings.Contains(libraries["spa"], "oidc-client-ts ") || strings.Contains(libraries["spa"], "go-oidc ") ||
		!strings.Contains(libraries["web"], "go-oidc ") || strings.Contains(libraries["web"], "oidc-client-ts ") {
		t.Errorf("there are settings for %v; a browser keeps no secret, so web has those of servers alone", libraries)
	}
	if response := h.ask(t, "GET", "/console/clients", ""); strings.Contains(read(t, response), "web-secret") {
		t.Error("the list tells a secret")
	}
}

// exampleAddress is an address of the recipes' apps. The provider of the test and its clients have others.
var exampleAddress = regexp.MustCompile(`localhost:(5173|3000|8080)`)

// wantedSettings are texts that the settings of a client must have: those for servers name the port of the app only.
func wantedSettings(id, issuer string) []string {
	if id == "web" {
		return []string{issuer, id, "the-secret-of-web"}
	}
	return []string{strings.TrimPrefix(issuer, "http"), `"` + id + `"`, "http://localhost:9090/"}
}

// A line of the settings that the client has no value for is left out, and a name in braces is a name.
func TestTheSettingsHaveTheLinesThatTheClientNeeds(t *testing.T) {
	h := newFixture(t)
	settings := h.json(t, 200, "PUT", "/console/clients/%7Bissuer%7D", `{"token_endpoint_auth_method":"none",
		"redirect_uris":["http://localhost:5173/cb"],"scope":"openid"}`)["settings"].([]any)
	texts := map[string]string{}
	for _, s := range settings {
		texts[s.(map[string]any)["library"].(string)] = s.(map[string]any)["text"].(string)
	}
	text := texts["oidc-client-ts"]
	if strings.Contains(text, "post_logout_redirect_uri") || !strings.Contains(text, `client_id: "{issuer}",`) {
		t.Errorf("the settings are\n%s\nwant the client_id {issuer}, and no line with post_logout_redirect_uri", text)
	}
}

// Any port of a loopback address matches, so only a request shows the port of the app.
func TestTheSettingsHaveTheAddressThatTheAppUsedLast(t *testing.T) {
	h := newFixture(t)
	addresses := func() string {
		list := h.json(t, 200, "GET", "/console/clients", "")["clients"].([]any)
		for _, s := range list[0].(map[string]any)["settings"].([]any) {
			if lib := s.(map[string]any); lib["library"] == "oidc-client-ts" {
				return strings.Join(regexp.MustCompile(`"http://localhost:[^"]*"`).FindAllString(lib["text"].(string), -1), " ")
			}
		}
		return ""
	}
	if got, want := addresses(), `"http://localhost:9090/callback" "http://localhost:9090/"`; got != want {
		t.Errorf("before a request: %s; want %s", got, want)
	}
	asks(h, "http://localhost:25174/callback", "p")
	if got, want := addresses(), `"http://localhost:25174/callback" "http://localhost:25174/"`; got != want {
		t.Errorf("after a request: %s; want %s", got, want)
	}
}

// Where a recipe for a server has its own port and path, the settings have those of the client.
func TestTheSettingsOfAServerHaveItsAddress(t *testing.T) {
	h := newFixture(t)
	settings := h.json(t, 200, "PUT", "/console/clients/shop",
		`{"client_secret":"s3cret","redirect_uris":["http://localhost:4321/signed-in"]}`)["settings"].([]any)
	for _, s := range settings {
		if s.(map[string]any)["library"] != "go-oidc" {
			continue
		}
		for _, want := range []string{`"4321"`, `origin + "/signed-in"`, `"the-secret-of-shop"`} {
			if text := s.(map[string]any)["text"].(string); !strings.Contains(text, want) {
				t.Errorf("the settings lack %s:\n%s", want, text)
			}
		}
		return
	}
	t.Error("there are no settings for go-oidc")
}

// What the YAML says is, read back, the client.
func TestTheYAMLKeepsTheClient(t *testing.T) {
	h := newFixture(t)
	answer := h.json(t, 200, "PUT", "/console/clients/new:%20%231", `{
		"client_name":"\"quoted\" ${HOME}","client_secret":"s3cret",
		"redirect_uris":["http://localhost:5173/cb"],
		"token_endpoint_auth_method":"client_secret_basic","first_party":true,"access_token_lifetime":"2h","scope":"openid"}`)
	var file struct {
		Clients []oidc.Client `yaml:"clients"`
	}
	must(t, yaml.Unmarshal([]byte(answer["yaml"].(string)), &file))
	registered, err := h.Clients.ByID(t.Context(), "new: #1")
	if err != nil || len(file.Clients) != 1 {
		t.Fatalf("registered: %v; in the YAML: %v", err, file.Clients)
	}
	kept := file.Clients[0]
	if !kept.ClientSecret.Matches("s3cret") || kept.AccessTokenLifetime != 2*time.Hour || !kept.FirstParty ||
		kept.ClientName != `"quoted" $${HOME}` { // the file replaces ${HOME} by the variable, and $${ by ${
		t.Errorf("the YAML keeps %+v:\n%s", kept, answer["yaml"])
	}
	if registered.IDTokenSignedResponseAlg != "ES256" || !registered.ClientSecret.Matches("s3cret") {
		t.Errorf("registered is %+v", registered)
	}
}

func TestEditingAClientKeepsItsSecret(t *testing.T) {
	h := newFixture(t)
	answer := h.json(t, 200, "PATCH", "/console/clients/web",
		`{"redirect_uris":["http://localhost:9090/other"],"access_token_lifetime":"5m"}`)
	client, _ := h.Clients.ByID(t.Context(), "web")
	if !client.ClientSecret.Matches("web-secret") || client.RedirectURIs[0] != "http://localhost:9090/other" ||
		client.AccessTokenLifetime != 5*time.Minute {
		t.Errorf("after the change web is %+v", client)
	}
	if yaml := answer["yaml"].(string); !strings.Contains(yaml, "[secret]") ||
		!strings.Contains(yaml, "access_token_lifetime: 5m\n") {
		t.Errorf("the YAML is\n%s", yaml)
	}
}

func TestClientsThatCannotBe(t *testing.T) {
	h := newFixture(t)
	for _, row := range []struct {
		method, id, body string
		status           int
		want             string
	}{
		{"PATCH", "spaa", `{"scope":"openid"}`, 404, "not registered"},
		{"PUT", "new", `{"client_id":"other","redirect_uris":["http://localhost/cb"],"token_endpoint_auth_method":"none"}`,
			400, "client_id"},
		{"PUT", "new", `{"redirect_uris":[],"token_endpoint_auth_method":"none"}`, 400, "redirect_uris"},
		{"PUT", "new", `{"redirect_uris":["javascript:alert(1)"],"token_endpoint_auth_method":"none"}`, 400,
			"redirect_uris[0]"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"]}`, 400, "client_secret"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"],"scope":"openid moon"}`, 400, "moon"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"],"id_token_claims":["moon"]}`, 400,
			"id_token_claims[0]: no scope"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"],"claims_mapping":{"sub":"name"}}`, 400,
			"claims_mapping.sub: names the claim sub"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"],"access_token_lifetime":"long"}`, 400,
			"access_token_lifetime"},
		{"PUT", "new", `{"redirect_uris":["http://localhost/cb"],"id_token_signed_response_alg":"RS256"}`, 400, "RS256"},
		{"PUT", "new", `{"redirect_uri":"http://localhost/cb"}`, 400, "redirect_uri"},
		{"DELETE", "new", ``, 404, "not registered"},
		{"GET", "new", ``, 404, "not registered"},
	} {
		if got := h.json(t, row.status, row.method, "/console/clients/"+row.id,
			row.body)["error_description"].(string); !strings.Contains(got, row.want) {
			t.Errorf("%s %s is refused with %q; want it to name %s", row.method, row.body, got, row.want)
		}
	}
	if all := h.Clients.All(); len(all) != 2 || all[0].ClientName != "The app" {
		t.Errorf("a refused request changed the clients: %+v", all)
	}
}

func TestTheOneClickRemedyOfAnErrorPage(t *testing.T) {
	h := newFixture(t)
	form := func(returnTo string) string {
		return "csrf=" + token + "&redirect_uri=http%3A%2F%2Flocalhost%3A9090%2Fsilent.html&return_to=" + returnTo
	}
	for returnTo, want := range map[string]string{
		"%2Fauthorize%3Fclient_id%3Dspa": "/authorize?client_id=spa", "https%3A%2F%2Fevil.test%2F": "/console",
		"%2F%2Fevil.test": "/console",
		"%2F%5Cevil.test": "/console", "javascript%3Aalert(1)": "/console", "": "/console", "%25": "/console",
	} {
		response := h.ask(t, "POST", "/console/clients/spa/redirect_uris", form(returnTo), "X-Hush-CSRF", "",
			"Content-Type", "application/x-www-form-urlencoded", "Origin", "null", "Sec-Fetch-Site", "same-origin")
		if got := response.Header.Get("Location"); response.StatusCode != 303 || got != want {
			t.Errorf("return_to %s leads to %d %s; want %s", returnTo, response.StatusCode, got, want)
		}
	}
	if client, _ := h.Clients.ByID(t.Context(), "spa"); len(client.RedirectURIs) != 2 ||
		client.RedirectURIs[1] != "http://localhost:9090/silent.html" {
		t.Errorf("spa has the redirect URIs %v; want the new one, once", client.RedirectURIs)
	}
}

func TestARedirectURIOfAnUnknownClientMakesAPublicOne(t *testing.T) {
	h := newFixture(t)
	h.json(t, 200, "POST", "/console/clients/mine/redirect_uris", `{"redirect_uri":"http://localhost:5173/cb"}`)
	client, err := h.Clients.ByID(t.Context(), "mine")
	if err != nil || !client.Public() || !client.NeedsPKCE() || !client.FirstParty {
		t.Errorf("the client is %+v", client)
	}
	if want := []string{"http://localhost:5173/", "http://localhost:5173"}; !slices.Equal(
		client.PostLogoutRedirectURIs, want) {
		t.Errorf("the addresses after a sign-out are %v; want %v", client.PostLogoutRedirectURIs, want)
	}
	h.json(t, 200, "POST", "/console/clients/mine/redirect_uris", `{"post_logout_redirect_uri":"http://localhost/bye"}`)
	if client, _ := h.Clients.ByID(t.Context(), "mine"); len(client.RedirectURIs) != 1 ||
		!slices.Contains(client.PostLogoutRedirectURIs, "http://localhost/bye") {
		t.Errorf("the client is %+v", client)
	}
	h.json(t, 400, "POST", "/console/clients/spa/redirect_uris", `{"redirect_uri":"http://localhost/#x"}`)
	h.json(t, 400, "POST", "/console/clients/spa/redirect_uris", `{}`)
}

func TestAClientIsAddedReplacedAndRemoved(t *testing.T) {
	h := newFixture(t)
	const body = `{"redirect_uris":["http://localhost:5173/cb"],"token_endpoint_auth_method":"none"}`
	h.json(t, 200, "PUT", "/console/clients/new", body)
	if again := h.ask(t, "PUT", "/console/clients/new", body, "If-None-Match", "*"); again.StatusCode != 400 {
		t.Errorf("RFC 9110 §13.1.2 a client that is there already gives %d; want 400", again.StatusCode)
	}
	h.json(t, 200, "PUT", "/console/clients/spa", body)
	shown := h.json(t, 200, "GET", "/console/clients/spa", "")["client"].(map[string]any)
	if shown["client_name"] != nil || shown["redirect_uris"].([]any)[0] != "http://localhost:5173/cb" {
		t.Errorf("the client that was replaced is %v", shown)
	}
	for _, id := range []string{"new", "spa"} {
		h.json(t, 204, "DELETE", "/console/clients/"+id, "")
		h.json(t, 404, "GET", "/console/clients/"+id, "")
	}
	h.json(t, 200, "PUT", "/console/clients/spa", body)
	must(t, h.Clients.Reset(t.Context()))
	if client, err := h.Clients.ByID(t.Context(), "spa"); err != nil || client.ClientName != "The app" {
		t.Errorf("after the reset spa is %+v, %v", client, err)
	}
	if all := h.Clients.All(); len(all) != 2 {
		t.Errorf("after the reset there are %d clients; want the 2 of the configuration", len(all))
	}
}

func TestTheClientsAreBounded(t *testing.T) {
	h := newFixture(t)
	configured := []oidc.Client{spa()}
	for i := range 999 {
		configured = append(configured, oidc.Client{ClientID: fmt.Sprint("app-", i)})
	}
	h.Clients = clients.New(configured)
	body := `{"redirect_uris":["http://localhost:1/cb"],"token_endpoint_auth_method":"none"}`
	h.json(t, 400, "PUT", "/console/clients/one-more", body)
	h.json(t, 400, "POST", "/console/clients/one-more/redirect_uris", `{"redirect_uri":"http://localhost:1/cb"}`)
	h.json(t, 200, "PUT", "/console/clients/app-1", body)
	h.json(t, 200, "PATCH", "/console/clients/app-1", `{"client_name":"Changed at the bound"}`)
}

func TestABodyHasABoundedDepth(t *testing.T) {
	h := newFixture(t)
	claims := func(depth int) string {
		return `{"claims":` + strings.Repeat(`{"a":`, depth) + "1" + strings.Repeat("}", depth) + "}"
	}
	h.json(t, 200, "PATCH", "/console/clients/spa", claims(40))
	h.json(t, 400, "PATCH", "/console/clients/spa", claims(50))
	h.json(t, 400, "PATCH", "/console/clients/spa", claims(9980))
}
