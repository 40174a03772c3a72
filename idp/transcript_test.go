package idp_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/trace"
)

var update = flag.Bool("update", false, "write what is generated into testdata and docs")

// demoOrigin is where the built-in client spa is at home.
const demoOrigin = "http://localhost:9090"

// TestTheTranscriptOfASilentRenewal holds what the trace tells of one renewal: as a golden file, and as the same text
// in the documentation.
func TestTheTranscriptOfASilentRenewal(t *testing.T) {
	provider := idptest.Start(t, nil)
	browser := provider.Browser(t)
	browser.SignIn("alice")
	first := browser.Tokens("spa", browser.Code(idptest.Request("spa")))
	renewal := newApp(t, provider, browser)
	renewal.renew(first["id_token"].(string))

	transcript := lasting(provider.Issuer, silentFlow(t, provider).Transcript())
	golden(t, "testdata/silent-renewal.txt", transcript)
	block(t, "../docs/silent-refresh.md", "transcript", "```\n"+transcript+"```\n")
}

// app does what the demo's page does in a browser, with the headers that a browser would send.
type app struct {
	t        *testing.T
	provider *idptest.Provider
	browser  *idptest.Browser
}

func newApp(t *testing.T, provider *idptest.Provider, browser *idptest.Browser) app {
	return app{t: t, provider: provider, browser: browser}
}

// renew goes through the four steps.
func (a app) renew(idTokenHint string) {
	a.t.Helper()
	params := idptest.Request("spa", "prompt", "none", "id_token_hint", idTokenHint, "nonce", "")
	answer := a.do(http.MethodGet, "/authorize?"+params.Encode(), nil, // (1) and (2)
		"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "navigate", "Sec-Fetch-Dest", "iframe")
	if answer.Location == nil || answer.Location.Query().Get("code") == "" {
		a.t.Fatalf("no code: %d %v", answer.Status, answer.Location)
	}
	csrf := a.do(http.MethodGet, "/console/token", nil, "Origin", demoOrigin).JSON(a.t)["csrf"].(string)
	a.report(csrf, map[string]any{"kind": "callback", "state": params.Get("state"), "url": params.Get("redirect_uri")})
	tokens := a.do(http.MethodPost, "/token", strings.NewReader(url.Values{ // (3)
		"grant_type": {"authorization_code"}, "code": {answer.Location.Query().Get("code")}, "client_id": {"spa"},
		"code_verifier": {idptest.CodeVerifier}, "redirect_uri": {params.Get("redirect_uri")},
	}.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Origin", demoOrigin,
		"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "cors", "Sec-Fetch-Dest", "empty")
	if tokens.Status != http.StatusOK {
		a.t.Fatalf("the token endpoint gave %d: %s", tokens.Status, tokens.Body)
	}
	a.report(
		csrf, map[string]any{"kind": "api", "state": params.Get("state"), "url": demoOrigin + "/api/me", "status": 200},
	) // (4)
}

func (a app) report(csrf string, report map[string]any) {
	a.t.Helper()
	body, err := json.Marshal(report)
	if err != nil {
		a.t.Fatal(err)
	}
	answer := a.do(
		http.MethodPost, "/console/reports", bytes.NewReader(body), "Content-Type", "application/json", "Origin", demoOrigin,
		"X-Hush-CSRF", csrf,
	)
	if answer.Status != http.StatusNoContent {
		a.t.Fatalf("the report was answered with %d: %s", answer.Status, answer.Body)
	}
}

// do sends a request to a path of the provider; headers are names and values.
func (a app) do(method, path string, body io.Reader, headers ...string) idptest.Page {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.provider.Issuer+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if r.Header.Get("Origin") != "" { // a script's request to another origin has no cookies
		return a.provider.Browser(a.t).Do(r)
	}
	return a.browser.Do(r)
}

// silentFlow is the one renewal among the flows that the provider saw.
func silentFlow(t *testing.T, provider *idptest.Provider) trace.Flow {
	t.Helper()
	for _, flow := range provider.Trace().Flows() {
		if flow.Silent {
			return flow
		}
	}
	t.Fatal("the trace has no silent flow")
	return trace.Flow{}
}

// What is different in every run: the port, the cookie's name, which stands for the issuer, and when the user signed
// in. They become what they are at the default issuer, and a time.
var (
	cookieName = regexp.MustCompile(`hush-[0-9a-f]{8}`)
	moment     = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
)

func lasting(issuer, transcript string) string {
	transcript = strings.ReplaceAll(transcript, issuer, idp.DefaultIssuer)
	transcript = cookieName.ReplaceAllString(transcript, "hush-a76d8c3e")
	return moment.ReplaceAllString(transcript, "2026-11-23T09:00:00Z")
}

// golden compares text with the file called name, which -update writes.
func golden(t *testing.T, name, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(file), text); diff != "" {
		t.Errorf("%s is not what happens (-file +now); if this is right, run go test ./idp -update:\n%s", name, diff)
	}
}

// block compares text with what stands between <!-- mark --> and <!-- /mark --> in the file called name, which -update
// writes there.
func block(t *testing.T, name, mark, text string) {
	t.Helper()
	file, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "<!-- "+mark+" -->\n", "<!-- /"+mark+" -->"
	before, rest, ok := strings.Cut(string(file), begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		t.Fatalf("%s has no block between %s and %s", name, begin, end)
	}
	golden(t, name, before+begin+text+end+after)
}

// The table of faults in docs/console.md is the failure lab's own.
func TestTheDocsListEachFault(t *testing.T) {
	var table strings.Builder
	table.WriteString("| fault | the provider | at | takes |\n|---|---|---|---|\n")
	var offered struct{ Kinds []lab.KindInfo }
	kinds := idptest.Start(t, nil).Browser(t).Get("/console/faults/kinds")
	if err := json.Unmarshal([]byte(kinds.Body), &offered); err != nil {
		t.Fatal(err)
	}
	for _, kind := range offered.Kinds {
		table.WriteString(
			"| `" + string(kind.Kind) + "` | " + kind.Text + " | " + strings.Join(
				kind.Endpoints, ", ",
			) + " | " + strings.Join(kind.Needs, ", ") + " |\n",
		)
	}
	block(t, "../docs/console.md", "faults", table.String())
}
