package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

// One process serves every layout; a pair of addresses that is no layout is served alone.
func TestLayoutsThatOneProcessServes(t *testing.T) {
	all := []string{
		"http://localhost:9090 http://localhost:8080",
		"http://app.demo.localhost:9090 http://idp.demo.localhost:8080",
		"http://app.localhost:9090 http://idp.localhost:8080",
	}
	for _, row := range []struct {
		name, app, issuer string
		want              []string
	}{
		{"the default has all three", "http://localhost:9090", "http://localhost:8080", all},
		{"the given one comes first", "http://app.localhost:9090", "http://idp.localhost:8080",
			[]string{all[2], all[0], all[1]}},
		{"names that are not a pair stay alone", "http://app.localhost:9090", "http://localhost:8080",
			[]string{"http://app.localhost:9090 http://localhost:8080"}},
		{"other names stay alone", "http://app.test:9090", "http://idp.test:8080",
			[]string{"http://app.test:9090 http://idp.test:8080"}},
		{"https stays alone: its certificate names one host", "http://localhost:9090", "https://localhost:8080",
			[]string{"http://localhost:9090 https://localhost:8080"}},
		{"a port may be left out", "http://localhost", "http://localhost:8080", []string{
			"http://localhost http://localhost:8080", "http://app.demo.localhost http://idp.demo.localhost:8080",
			"http://app.localhost http://idp.localhost:8080"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			var got []string
			for _, c := range (config{BaseURL: row.app, Issuer: row.issuer}).everywhere() {
				got = append(got, c.BaseURL+" "+c.Issuer)
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Each layout has its own provider: in the settings, in the policy, in the requests of the server.
func TestEachHostIsALayoutOfItsOwn(t *testing.T) {
	server := startDemo(t)
	for _, row := range []struct{ host, issuer string }{
		{"localhost:9090", "http://localhost:1"},
		{"app.demo.localhost:9090", "http://idp.demo.localhost:1"},
		{"APP.LOCALHOST:9090", "http://idp.localhost:1"},
		{"app.localhost", "http://idp.localhost:1"},
		{"elsewhere.example", "http://localhost:1"},
	} {
		t.Run(row.host, func(t *testing.T) {
			response, body := sendTo(t, server, row.host, "/config.json")
			var got map[string]string
			if err := json.Unmarshal([]byte(body), &got); err != nil || got["issuer"] != row.issuer {
				t.Errorf("issuer %q, want %q (%v)", got["issuer"], row.issuer, err)
			}
			if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy,
				"frame-src 'self' "+row.issuer+";") {
				t.Errorf("the policy does not let the page frame %s: %s", row.issuer, policy)
			}
			response, _ = sendTo(t, server, row.host, "/web/silent")
			if location := response.Header.Get("Location"); !strings.HasPrefix(location,
				oidc.Origin(got["redirect_uri"])+"/web/silent-callback?") {
				t.Errorf("the server-side app sends the iframe to %s", location)
			}
		})
	}
}

func TestEveryPageOffersTheLayouts(t *testing.T) {
	server := startDemo(t)
	for _, path := range []string{"/", "/spa/", "/web/", "/both/", "/tokens/", "/lessons/"} {
		_, body := sendTo(t, server, "app.localhost:9090", path)
		if !strings.Contains(body, `<a href="http://app.demo.localhost:9090`+path+`">`) {
			t.Errorf("%s has no link to the same page of another layout", path)
		}
		if !strings.Contains(body, `<a href="http://app.localhost:9090`+path+`" aria-current="true">`) {
			t.Errorf("%s does not say which layout this is", path)
		}
	}
	_, body := send(t, startDemo(t, "--base-url", "http://app.localhost:9090"), request{path: "/"})
	if strings.Contains(body, "app.demo.localhost") {
		t.Error("a pair of names that is no layout offers layouts")
	}
}

func TestLessons(t *testing.T) {
	server := startDemo(t)
	_, body := send(t, server, request{path: "/lessons/"})
	_, script := send(t, server, request{path: "/static/demo/lessons/lessons.js"})
	texts, err := readTexts()
	if err != nil || len(texts.Lessons) != 11 {
		t.Fatalf("%d lessons, expected 11: %v", len(texts.Lessons), err)
	}
	for _, l := range texts.Lessons {
		for _, id := range []string{"", "-cause", "-fix", "-state", "-diagram", "-reason"} {
			if !strings.Contains(body, `id="lesson-`+l.ID+id+`"`) {
				t.Errorf("lesson %s has no #lesson-%s%s", l.ID, l.ID, id)
			}
		}
		if !strings.Contains(script, "\n  "+l.ID+": ") && !strings.Contains(script, "\n  \""+l.ID+"\": ") {
			t.Errorf("lesson %s has texts, but no code that causes it", l.ID)
		}
		for _, text := range []string{l.Title, l.Reports, l.Happens, l.Cause, l.Reason, l.Know, l.Fix, l.Apply} {
			if text == "" {
				t.Errorf("lesson %s has an empty text", l.ID)
			}
		}
		if len(l.Spec) == 0 {
			t.Errorf("lesson %s names no section", l.ID)
		}
	}
}

// Each wrong callback page of a lesson has one fault.
func TestCallbackPagesOfTheLessons(t *testing.T) {
	server := startDemo(t)
	for _, row := range []struct{ path, has, lacks, referrer string }{
		{"/lessons/callback.html", `source: "oidc-client"`, "demo/lessons/", "no-referrer"},
		{"/lessons/app.html", "lessons/nested.js", `source: "oidc-client"`, "no-referrer-when-downgrade"},
		{"/lessons/silent.html", "<main", "<script", "no-referrer"},
		{"/lessons/codes.html", "lessons/codes.js", `source: "oidc-client"`, "no-referrer"},
	} {
		response, body := send(t, server, request{path: row.path + "?code=x&state=y"})
		if response.StatusCode != http.StatusOK || !strings.Contains(body, row.has) || strings.Contains(body, row.lacks) {
			t.Errorf("%s: status %d, want %q and no %q in:\n%s", row.path, response.StatusCode, row.has, row.lacks, body)
		}
		if got := response.Header.Get("Referrer-Policy"); got != row.referrer {
			t.Errorf("%s: Referrer-Policy %q, want %q", row.path, got, row.referrer)
		}
	}
}

// sendTo sends a GET with another Host than the dialled address.
func sendTo(t *testing.T, server *httptest.Server, host, path string) (*http.Response, string) {
	t.Helper()
	out, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	out.Host = host
	response, err := server.Client().Transport.RoundTrip(out)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}
