package console_test

import (
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
)

func TestThePageBringsTheToken(t *testing.T) {
	h := newFixture(t)
	response := h.ask(t, "GET", "/console", "")
	if page := read(t, response); !strings.Contains(page, `data-csrf="`+token+`"`) || !strings.Contains(page, h.Issuer) {
		t.Errorf("the page is\n%s", page)
	}
	policy := response.Header.Get("Content-Security-Policy")
	for _, want := range []string{"connect-src 'self'", "frame-ancestors 'none'", "default-src 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("Content-Security-Policy %s; want %s", policy, want)
		}
	}
}

func TestAListedOriginGetsTheToken(t *testing.T) {
	h := newFixture(t)
	response := h.ask(t, "GET", "/console/token", "", "Origin", demo, "X-Hush-CSRF", "")
	if got := read(t, response); got != `{"csrf":"`+token+`"}`+"\n" || response.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("it gets %s, Cache-Control %s", got, response.Header.Get("Cache-Control"))
	}
}

// The probe says what came, to a listed origin only.
func TestProbe(t *testing.T) {
	h := newFixture(t)
	_, cookies := h.signIn(t, "alice")
	for _, row := range []struct{ name, cookies, want string }{
		{"no cookie came", "", `"cookies":[],"session":false`},
		{"both came", cookies, `"session":true`},
		{"one came, changed", h.Sessions.Cookies.Names()[0] + "=changed", `"cookies":["` + h.Sessions.Cookies.Names()[0] +
			`"],"session":false`},
	} {
		t.Run(row.name, func(t *testing.T) {
			response := h.ask(t, "GET", "/console/probe?origin="+demo, "", "Cookie", row.cookies,
				"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "iframe", "Sec-Fetch-Storage-Access", "none")
			page := strings.ReplaceAll(read(t, response), "&#34;", `"`)
			for _, want := range []string{row.want, `"source":"hush-probe"`, `data-origin="` + demo + `"`,
				`"fetch":{"site":"cross-site","dest":"iframe","storage_access":"none"}`} {
				if !strings.Contains(page, want) {
					t.Errorf("the page lacks %s:\n%s", want, page)
				}
			}
			if got := response.Header.Get("Content-Security-Policy"); !strings.Contains(got, "; frame-ancestors "+demo) ||
				response.Header.Get("X-Frame-Options") != "" {
				t.Errorf("Content-Security-Policy %s; want frame-ancestors %s", got, demo)
			}
		})
	}
	for _, origin := range []string{"", "*", "https://evil.test", "null", "http://app.localhost:9090/"} {
		h.json(t, 400, "GET", "/console/probe?origin="+origin, "")
	}
}

func TestKeys(t *testing.T) {
	h := newFixture(t)
	signed, err := h.Keys.Sign(t.Context(), "", keys.TypeIDToken, map[string]any{"sub": "alice"})
	must(t, err)
	before := publicKeys(t, h)[0].(map[string]any)
	after := h.json(t, 200, "POST", "/console/keys", "")["keys"].([]any)
	if len(after) != 2 || after[0].(map[string]any)["kid"] == before["kid"] ||
		after[0].(map[string]any)["signs"] != true || after[1].(map[string]any)["signs"] != false {
		t.Errorf("after the rotation the keys are %v", after)
	}
	if strings.Contains(read(t, h.ask(t, "GET", "/console/keys", "")), `"d":`) {
		t.Error("the answer holds a private key")
	}
	var claims map[string]any
	must(t, h.Keys.Verify(t.Context(), signed, keys.TypeIDToken, &claims))
}

func TestKeysThatAreSharedHaveTimes(t *testing.T) {
	h := newFixture(t)
	seal, err := keys.NewSeal([][]byte{[]byte(strings.Repeat("k", 32))})
	must(t, err)
	h.Keys, err = keys.NewShared([]keys.Spec{{Alg: jose.ES256}}, keys.Sharing{
		Store: storage.NewMemory(h.Lab.Clock.Now), Seal: seal, Now: h.Lab.Clock.Now, Propagation: time.Minute,
	})
	must(t, err)
	before := publicKeys(t, h)[0].(map[string]any)
	after := h.json(t, 200, "POST", "/console/keys", "")["keys"].([]any)
	if len(after) != 2 {
		t.Fatalf("after the rotation the keys are %v; want two", after)
	}
	old, coming := after[0].(map[string]any), after[1].(map[string]any)
	if old["kid"] != before["kid"] || old["signs"] != true || old["retire_at"] == nil {
		t.Errorf("the old key is %v; want it to sign still, and to say when it retires", old)
	}
	if coming["signs"] != false || coming["signs_at"] == nil || coming["retire_at"] != nil {
		t.Errorf("the new key is %v; want it not to sign yet, and to say when it will", coming)
	}
}

func TestARotationThatCannotBeSaysWhy(t *testing.T) {
	h := newFixture(t)
	var err error
	h.Keys, err = keys.New([]keys.Spec{{Alg: jose.ES256, File: "es256.pem"}}, time.Now)
	must(t, err)
	if answer := h.json(t, 400, "POST", "/console/keys", ""); !strings.Contains(answer["error_description"].(string),
		"es256.pem") {
		t.Errorf("the answer is %v; want it to name the file", answer)
	}
}

func TestUsers(t *testing.T) {
	h := newFixture(t)
	text := read(t, h.ask(t, "GET", "/console/users", ""))
	if !strings.Contains(text, `"username":"alice","name":"The alice","email":"alice@example.com"`) ||
		strings.Contains(text, "password") {
		t.Errorf("the users are %s; want them without their passwords", text)
	}
}
