package fedcm_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

func TestTheTraceShowsASignInByFedCM(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("alice")
	page := b.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "client_id": {"spa"}, "code": {good().send(t, b).Token},
		"redirect_uri": {appOrigin + "/spa/callback.html"}, "code_verifier": {idptest.CodeVerifier},
	})
	if page.Status != http.StatusOK {
		t.Fatalf("%d %s", page.Status, page.Body)
	}
	var seen []string
	for _, record := range p.LastFlow(t).Records {
		seen = append(seen, record.Endpoint)
		if record.ClientID != "spa" || len(record.Steps) == 0 {
			t.Errorf("%s is recorded as %+v", record.Endpoint, record)
		}
	}
	if want := []string{"fedcm_assertion", "token"}; !slices.Equal(seen, want) {
		t.Errorf("the flow has the requests %q; want %q", seen, want)
	}
	refused := good()
	refused.header.Set("Sec-Fetch-Dest", "empty")
	refused.send(t, b)
	record := p.LastFlow(t).Records[0]
	if record.Reason != "fedcm.not_browser" || record.Error != "invalid_request" {
		t.Errorf("the refused request is recorded as %+v", record)
	}
}

// FedCM for OAuth, Pushed Authorization Requests: params has the request_uri of a pushed request. RFC 9126 §4
func TestAPushedRequestByFedCM(t *testing.T) {
	p := start(t)
	b := p.Browser(t)
	b.SignIn("alice")
	push := func(redirectURI string) map[string]any {
		pushed := b.Post("/par", idptest.Request("spa", "redirect_uri", redirectURI)).JSON(t)
		return map[string]any{"request_uri": pushed["request_uri"]}
	}
	a := good()
	a.params = push(appOrigin + "/spa/callback.html")
	if got := a.send(t, b); got.Token == "" {
		t.Errorf("got %s", got.body)
	}
	if got := a.send(t, b); got.Error.Code != "invalid_request_uri" {
		t.Errorf("RFC 9126 §7.3 a request_uri gives one code: %s", got.body)
	}
	a.params = push("http://localhost:9090/spa/callback.html")
	if got := a.send(t, b); got.Error.Code != "invalid_request" || !got.readable(appOrigin) {
		t.Errorf("the pushed redirect_uri has another origin than the script: %s", got.body)
	}
}
