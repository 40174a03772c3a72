package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// Two network namespaces stand for two containers: to each, localhost is itself. The provider is in the first.
const (
	firstAddress, secondAddress = "10.203.77.1", "10.203.77.2"
	roleVariable                = "NAMESPACE_ROLE" // of the test program in a namespace
)

// namespaces makes two network namespaces with a cable between them, and returns how a program is started in each.
func namespaces(t *testing.T) (first, second []string) {
	t.Helper()
	name := func(end string) string { return fmt.Sprintf("hush-%s-%d", end, os.Getpid()) }
	run := func(line string) error { return exec.Command("ip", strings.Fields(line)...).Run() }
	for _, end := range []string{"a", "b"} {
		if err := run("netns add " + name(end)); err != nil {
			t.Skip("this user may not make network namespaces: ", err)
		}
		t.Cleanup(func() { _ = run("netns del " + name(end)) })
	}
	a, b := name("a"), name("b")
	for _, line := range []string{
		"link add cable netns " + a + " type veth peer name cable netns " + b,
		"-n " + a + " addr add " + firstAddress + "/24 dev cable", "-n " + b + " addr add " + secondAddress + "/24 dev cable",
		"-n " + a + " link set cable up", "-n " + b + " link set cable up",
		"-n " + a + " link set lo up", "-n " + b + " link set lo up",
	} {
		if err := run(line); err != nil {
			t.Fatalf("ip %s: %v", line, err)
		}
	}
	return []string{"ip", "netns", "exec", a}, []string{"ip", "netns", "exec", b}
}

// play runs this test program in a namespace, in a role, and returns what it prints.
func play(t *testing.T, in []string, role, given string) string {
	t.Helper()
	arguments := append(in[1:len(in):len(in)], os.Args[0], "-test.run", "^TestRoleInANamespace$", "-test.v")
	command := exec.CommandContext(t.Context(), in[0], arguments...)
	command.Env = append(os.Environ(), roleVariable+"="+role, "GIVEN="+given)
	output, err := command.CombinedOutput()
	_, printed, found := strings.Cut(string(output), "RESULT ")
	if err != nil || !found {
		t.Fatalf("%s: %v\n%s", role, err, output)
	}
	printed, _, _ = strings.Cut(printed, "\n")
	return printed
}

func TestBrowserAndAPIReachTheProviderAtDifferentAddresses(t *testing.T) {
	first, second := namespaces(t)
	p := start(t, first[0], append(first[1:], binary(t), "--listen", "0.0.0.0:8080", "--back-channel-hosts",
		"idp:8080")...)
	p.await(t, p.stderr, "back_channel_hosts is set")
	p.await(t, p.stdout, "Hush is the OpenID provider http://localhost:8080 ")
	tokens := play(t, first, "browser at http://localhost:8080", "http://localhost:9090/web/callback")
	if said := play(t, second, "api", tokens); said != "alice" {
		t.Errorf("the API takes the tokens for those of %s; want alice", said)
	}
}

func TestABrowserAndAnAppUnderNamesThatAreNotLoopback(t *testing.T) {
	first, second := namespaces(t)
	p := start(t, first[0], append(first[1:], binary(t), "--listen", "0.0.0.0:8080", "--issuer", "http://idp:8080",
		"--dev-hosts", "idp,app")...)
	p.await(t, p.stderr, "dev_hosts is set")
	p.await(t, p.stdout, "Hush is the OpenID provider http://idp:8080 ")
	if tokens := play(t, second, "browser at http://idp:8080", "http://app:9090/callback"); len(tokens) < 100 {
		t.Errorf("the browser got the tokens %s", tokens)
	}
}

// inNamespace is an HTTP client to which idp is the address of the first namespace.
func inNamespace(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if port, isProvider := strings.CutPrefix(address, "idp:"); isProvider {
			address = firstAddress + ":" + port
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return &http.Client{
		Jar: jar, Timeout: 20 * time.Second, Transport: &http.Transport{DialContext: dial},
		CheckRedirect: func(r *http.Request, _ []*http.Request) error {
			if r.URL.Port() == "9090" { // the application: nobody listens there
				return http.ErrUseLastResponse
			}
			return nil
		},
	}
}

func callJSON(t *testing.T, client *http.Client, method, address, body string) []byte {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %s %v", method, address, response.Status, text, err)
	}
	return text
}

// TestRoleInANamespace is not a test of its own: it is the browser, or the API, of the tests above.
func TestRoleInANamespace(t *testing.T) {
	role := os.Getenv(roleVariable)
	if issuer, isBrowser := strings.CutPrefix(role, "browser at "); isBrowser {
		t.Log("RESULT " + browse(t, issuer, os.Getenv("GIVEN")))
	} else if role == "api" {
		t.Log("RESULT " + protect(t, os.Getenv("GIVEN")))
	}
}

// browse signs alice in and runs the code flow of an application with this redirect URI. It finds all by discovery.
func browse(t *testing.T, issuer, redirectURI string) (tokens string) {
	t.Helper()
	client := inNamespace(t)
	ctx := gooidc.ClientContext(t.Context(), client)
	found, err := gooidc.NewProvider(ctx, issuer)
	if err != nil {
		t.Fatal(err)
	}
	callJSON(t, client, http.MethodPatch, issuer+"/console/clients/web", `{"redirect_uris":["`+redirectURI+`"]}`)
	if page := callJSON(t, client, http.MethodGet, issuer+"/login", ""); !strings.Contains(string(page), "one_click") {
		t.Errorf("the sign-in page offers no sign-in by one click:\n%s", page)
	}
	callJSON(t, client, http.MethodPost, issuer+"/console/sessions", `{"user":"alice"}`)
	config := oauth2.Config{
		ClientID: "web", ClientSecret: "web-secret", Endpoint: found.Endpoint(), RedirectURL: redirectURI,
		Scopes: []string{"openid"},
	}
	verifier := oauth2.GenerateVerifier()
	response, err := client.Get(config.AuthCodeURL("s", oauth2.S256ChallengeOption(verifier),
		oauth2.SetAuthURLParam("prompt", "none")))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := url.Parse(response.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	token, err := config.Exchange(ctx, answer.Query().Get("code"), oauth2.VerifierOption(verifier))
	if err != nil {
		t.Fatalf("%v: %s", err, answer)
	}
	idToken, _ := token.Extra("id_token").(string)
	if _, err := found.Verifier(&gooidc.Config{ClientID: "web"}).Verify(ctx, idToken); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{"id_token": idToken, "access_token": token.AccessToken})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// protect judges the tokens as an API in another container: it knows the issuer of the tokens and the address idp:8080.
func protect(t *testing.T, given string) (sub string) {
	t.Helper()
	client := inNamespace(t)
	if _, err := client.Get("http://localhost:8080/healthz"); err == nil {
		t.Fatal("localhost of this namespace is the provider: the namespaces are not separate")
	}
	var tokens struct {
		IDToken     string `json:"id_token"`
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(given), &tokens); err != nil {
		t.Fatal(err)
	}
	ctx := gooidc.InsecureIssuerURLContext(gooidc.ClientContext(t.Context(), client), "http://localhost:8080")
	found, err := gooidc.NewProvider(ctx, "http://idp:8080")
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{tokens.IDToken, tokens.AccessToken} {
		if _, err := found.Verifier(&gooidc.Config{SkipClientIDCheck: true}).Verify(ctx, token); err != nil {
			t.Fatal(err)
		}
	}
	source := oauth2.StaticTokenSource(&oauth2.Token{AccessToken: tokens.AccessToken})
	user, err := found.UserInfo(ctx, source)
	if err != nil {
		t.Fatal(err)
	}
	callJSON(t, client, http.MethodPost, "http://idp:8080/console/tokens", `{"user":"bob","client":"spa"}`)
	return user.Subject
}
