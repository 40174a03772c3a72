package idp_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// CWE-770: anybody can send the request, so it must not become a fetch each time.
func TestARequestURIIsFetchedOnceWhileItsServerAllows(t *testing.T) {
	var fetched atomic.Int32
	params := idptest.Request("spa")
	object := map[string]string{}
	for name := range params {
		object[name] = params.Get(name)
	}
	payload, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fetched.Add(1)
		w.Header().Set("Content-Type", "application/oauth-authz-req+jwt")
		w.Header().Set("Cache-Control", "max-age=3600")
		part := base64.RawURLEncoding.EncodeToString
		_, _ = w.Write([]byte(part([]byte(`{"alg":"none"}`)) + "." + part(payload) + "."))
	}))
	t.Cleanup(server.Close)
	p := idptest.Start(t, func(c *idp.Config) {
		c.Clients = []oidc.Client{{
			ClientID: "spa", TokenEndpointAuthMethod: "none", RedirectURIs: []string{params.Get("redirect_uri")},
			RequestURIs: []string{server.URL + "/r"},
		}}
	})
	for range 40 {
		page := p.Browser(t).Authorize(idptest.Request("spa", "request_uri", server.URL+"/r"))
		if target := page.Header.Get("Location"); !strings.HasPrefix(target, "/login?") {
			t.Fatalf("got %d %s; want the sign-in\n%s", page.Status, target, page.Body)
		}
	}
	if n := fetched.Load(); n != 1 {
		t.Errorf("40 requests caused %d fetches; want 1", n)
	}
}
