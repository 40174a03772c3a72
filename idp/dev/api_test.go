package dev_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// api is a test in another language: plain HTTP, and no token of the console.
type api struct {
	t        *testing.T
	provider *idptest.Provider
}

func (a api) send(method, path, body string, headers ...string) (int, []byte, http.Header) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.provider.Issuer+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, text, response.Header
}

// do sends the request and reads the answer, which must have the status.
func (a api) do(status int, method, path, body string, headers ...string) (answer map[string]any) {
	a.t.Helper()
	got, text, _ := a.send(method, path, body, headers...)
	if got != status {
		a.t.Fatalf("%s %s %s gives %d: %s; want %d", method, path, body, got, text, status)
	}
	if len(bytes.TrimSpace(text)) > 0 && text[0] == '{' {
		if err := json.Unmarshal(text, &answer); err != nil {
			a.t.Fatal(err)
		}
	}
	return answer
}

// userinfo asks with the access token, and wants the status.
func (a api) userinfo(status int, accessToken any) map[string]any {
	a.t.Helper()
	return a.do(status, "GET", "/userinfo", "", "Authorization", "Bearer "+accessToken.(string))
}

func claimsOf(t *testing.T, token any) (claims map[string]any) {
	t.Helper()
	parsed, err := jwt.ParseSigned(token.(string), []jose.SignatureAlgorithm{jose.ES256})
	if err == nil {
		err = parsed.UnsafeClaimsWithoutVerification(&claims)
	}
	if err != nil {
		t.Fatal(err)
	}
	return claims
}

func TestTokensWithoutASignIn(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	tokens := a.do(200, "POST", "/console/tokens", `{"user":"alice","client":"web","nonce":"n-1",
		"claims":{"groups":["admin"],"acr":"gold","sid":null}}`)
	if user := a.userinfo(200, tokens["access_token"]); user["sub"] != "alice" || user["name"] == nil {
		t.Errorf("userinfo says %v", user)
	}
	for _, name := range []string{"id_token", "access_token"} {
		claims := claimsOf(t, tokens[name])
		if claims["sub"] != "alice" || claims["acr"] != "gold" || claims["iss"] != a.provider.Issuer ||
			claims["groups"].([]any)[0] != "admin" {
			t.Errorf("the claims of the %s are %v", name, claims)
		}
	}
	if claimsOf(t, tokens["id_token"])["nonce"] != "n-1" {
		t.Error("the ID token lacks the nonce")
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {tokens["refresh_token"].(string)}}
	r := a.do(200, "POST", "/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
		"Authorization", "Basic d2ViOndlYi1zZWNyZXQ=") // web:web-secret
	if r["access_token"] == nil {
		t.Errorf("the refresh token gives %v", r)
	}
}

func TestExpiredTokensAndTokensOfAClient(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	expired := a.do(200, "POST", "/console/tokens", `{"user":"alice","client":"spa","expired":true}`)
	if answer := a.userinfo(401, expired["access_token"]); !strings.Contains(answer["error_description"].(string),
		"expired 60 seconds ago") && !strings.Contains(answer["error_description"].(string), "expired 61 seconds ago") {
		t.Errorf("userinfo says %v", answer)
	}
	own := a.do(200, "POST", "/console/tokens", `{"client":"web","scope":"api.read"}`)
	if claims := claimsOf(t, own["access_token"]); claims["sub"] != "web" || claims["auth_time"] != nil ||
		own["id_token"] != nil || own["refresh_token"] != nil {
		t.Errorf("the client's own tokens are %v, with %v", own, claims)
	}
	for _, row := range []struct {
		status int
		body   string
	}{
		{404, `{"user":"nobody","client":"spa"}`}, {404, `{"user":"alice","client":"nothing"}`},
		{400, `{"user":"alice","client":"spa","scope":"moon"}`}, {400, `{"user":"alice","client":"spa","age":1}`},
		{400, `[]`}, {400, ``},
	} {
		a.do(row.status, "POST", "/console/tokens", row.body)
	}
}

// A test signs a user in by one request, and its browser renews silently with the cookies.
func TestASessionWithoutAPage(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	answer := a.do(200, "POST", "/console/sessions", `{"user":"bob"}`)
	if answer["session"].(map[string]any)["accounts"].([]any)[0].(map[string]any)["sub"] != "bob" {
		t.Errorf("the session is %v", answer["session"])
	}
	browser := a.provider.Browser(t)
	var cookies []*http.Cookie
	for _, each := range answer["cookies"].([]any) {
		c := each.(map[string]any)
		if c["url"] != a.provider.Issuer+"/" {
			t.Errorf("the cookie is for %v", c["url"])
		}
		cookies = append(cookies, &http.Cookie{Name: c["name"].(string), Value: c["value"].(string)})
	}
	browser.SetCookies(cookies)
	browser.Code(idptest.Request("spa", "prompt", "none"))
	a.do(404, "POST", "/console/sessions", `{"user":"nobody"}`)
}

func TestUsersAtRunTime(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	a.do(200, "PUT", "/console/users/dana", `{"claims":{"name":"Dana","email":"dana@example.com","roles":["x"]}}`)
	browser := a.provider.Browser(t)
	browser.SignIn("dana") // the password is the name
	changed := a.do(200, "PATCH", "/console/users/dana", `{"password":"other","claims":{"email":null,"name":"D."}}`)
	if changed["name"] != "D." || changed["email"] != nil || changed["claims"].(map[string]any)["roles"] == nil {
		t.Errorf("after the patch dana is %v", changed)
	}
	if got := a.do(200, "GET", "/console/users/dana", ""); got["name"] != "D." || got["password"] != nil {
		t.Errorf("dana is %v", got)
	}
	browser.Code(idptest.Request("spa", "prompt", "none"))
	a.do(204, "DELETE", "/console/users/dana", "")
	page := browser.Authorize(idptest.Request("spa", "prompt", "none"))
	if got := page.Location.Query().Get("error"); got != "login_required" {
		t.Errorf("the session of a removed user gives error=%s; want login_required", got)
	}
	a.do(404, "GET", "/console/users/dana", "")
	a.do(404, "DELETE", "/console/users/dana", "")
	a.do(404, "PATCH", "/console/users/dana", "{}")
	for _, body := range []string{
		`{"sub":"alice"}`, `{"sub":"with blank"}`, `{"claims":{"email":5}}`, `{"claims":{"email":"alice@example.com"}}`,
		`{"password_hash":"x"}`, `{"name":"x"}`, `5`,
	} {
		a.do(400, "PUT", "/console/users/eve", body)
	}
	a.do(404, "GET", "/console/users/eve", "")
}

// A test waits for what its application does: no sleep, and no flow of another client.
func TestFlowsAreAwaited(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	browser := a.provider.Browser(t)
	browser.SignIn("alice")
	browser.Authorize(idptest.Request("spa", "client_id", "nobody"))
	first := a.do(200, "GET", "/console/flows?outcome=failed&wait=10s", "")["flows"].([]any)
	if len(first) != 1 || first[0].(map[string]any)["reasons"].([]any)[0].(map[string]any)["code"] != "client.unknown" {
		t.Fatalf("the failed flows are %v", first)
	}
	found := make(chan []any)
	go func() {
		id := first[0].(map[string]any)["id"].(string)
		_, text, _ := a.send("GET", "/console/flows?client=spa&outcome=done&wait=50s&after="+id, "")
		var answer struct{ Flows []any }
		_ = json.Unmarshal(text, &answer) // the test sees an empty list
		found <- answer.Flows
	}()
	browser.Authorize(idptest.Request("spa", "prompt", "none", "scope", "moon"))                // failed
	browser.Tokens("spa", browser.Code(idptest.Request("spa", "prompt", "none", "state", "2"))) // done
	if flows := <-found; len(flows) != 1 || flows[0].(map[string]any)["client_id"] != "spa" {
		t.Errorf("the wait gave %v; want the one flow of spa that is done", flows)
	}
	if none := a.do(200, "GET", "/console/flows?client=web&wait=1ms", "")["flows"].([]any); len(none) != 0 {
		t.Errorf("a wait in vain gave %v; want an empty list", none)
	}
	for _, query := range []string{"outcome=good", "wait=2m", "wait=-1s", "wait=later", "after=x", "user=alice"} {
		a.do(400, "GET", "/console/flows?"+query, "")
	}
}

func TestResetIsANewBeginning(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	a.do(200, "PUT", "/console/users/dana", `{}`)
	a.do(204, "DELETE", "/console/users/bob", "")
	a.do(204, "DELETE", "/console/clients/web", "")
	a.do(200, "POST", "/console/faults", `{"fault":"session_lost","times":5}`)
	a.do(200, "POST", "/console/clock", `{"back":"1h"}`)
	browser := a.provider.Browser(t)
	browser.SignIn("alice")
	tokens := a.do(200, "POST", "/console/tokens", `{"user":"alice","client":"spa"}`)
	a.do(204, "POST", "/console/reset", "")

	users := a.do(200, "GET", "/console/users", "")["users"].([]any)
	clients := a.do(200, "GET", "/console/clients", "")["clients"].([]any)
	if len(users) != 3 || len(clients) != 2 {
		t.Errorf("after the reset there are %d users and %d clients; want those of the configuration", len(users),
			len(clients))
	}
	if clock := a.do(200, "GET", "/console/clock", ""); clock["offset"] != "0s" {
		t.Errorf("after the reset the clock is %v", clock)
	}
	page := browser.Authorize(idptest.Request("spa", "prompt", "none"))
	if got := page.Location.Query().Get("error"); got != "login_required" {
		t.Errorf("after the reset a session gives error=%s; want login_required", got)
	}
	a.userinfo(401, tokens["access_token"])
	a.userinfo(200, a.do(200, "POST", "/console/tokens", `{"user":"alice","client":"spa"}`)["access_token"])
}

// Every power is for development mode: a production issuer has no address of the API.
func TestNoRouteOfTheAPIOutsideDevelopmentMode(t *testing.T) {
	a := api{t, idptest.Start(t, func(c *idp.Config) { c.Dev = new(bool) })}
	var document struct {
		Paths map[string]map[string]any
	}
	_, text, _ := api{t, idptest.Start(t, nil)}.send("GET", "/console/openapi.json", "")
	if err := json.Unmarshal(text, &document); err != nil || len(document.Paths) < 20 {
		t.Fatalf("the OpenAPI document has %d paths: %v", len(document.Paths), err)
	}
	for path, methods := range document.Paths {
		for method := range methods {
			named := strings.NewReplacer("{id}", "x", "{username}", "alice").Replace(path)
			status, _, _ := a.send(strings.ToUpper(method), named, "{}")
			if status != http.StatusNotFound {
				t.Errorf("%s %s gives %d; want 404", method, path, status)
			}
		}
	}
}
