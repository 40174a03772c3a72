package check_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

func byServer(r *trace.Record) { r.Origin = "" }

// onServer is an app that redeems its codes without a browser, and renews with a refresh token.
func (s *scene) onServer() {
	s.seen.Client.TokenEndpointAuthMethod = oidc.AuthMethodBasic
	s.signsIn()
	s.redeems(300, byServer)
	s.refreshes()
}

func (s *scene) refreshes(edits ...edit) {
	s.send(trace.Record{Endpoint: "token", Method: "POST", Path: "/token", Status: 200, ClientID: "app"},
		values{"grant_type": "refresh_token"}, values{"expires_in": "300"}, edits)
}

var ofServers = []row{
	{"request.iframe", "refresh token", (*scene).onServer, check.CannotSee,
		"POST /token has no Origin, and the app used a refresh token No browser sent this request: the app redeems its " +
			"codes on a server, and renews with a refresh token, or it is no web app. The check is for apps that renew in " +
			"a browser, in a hidden iframe", ""},
	{"request.hint", "refresh token", (*scene).onServer, check.CannotSee, "renews with a refresh token", ""},
	{"request.response_mode", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"cookie.came", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"cookie.site", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"callback.nested", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"callback.exists", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"app.frame_src", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"flow.renewal", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"lifetime.pace", "refresh token", (*scene).onServer, check.CannotSee, "hidden iframe", ""},
	{"cors.origin", "refresh token", (*scene).onServer, check.CannotSee, "no script sent it", ""},
	{"cors.preflight", "refresh token", (*scene).onServer, check.CannotSee, "no script sent it", ""},
	{"request.pkce", "refresh token", (*scene).onServer, check.Holds, "S256", ""},
	{"code.redeemed", "refresh token", (*scene).onServer, check.Holds, "after the code", ""},
	{"flow.sign_in", "refresh token", (*scene).onServer, check.Holds, "tokens were sent", ""},
	{"clock.app", "refresh token", (*scene).onServer, check.NotSeen, "fetch the pages", ""},
	{"logout.hint", "refresh token", (*scene).onServer, check.NotSeen, "Sign out", ""},

	{"request.iframe", "no refresh token", func(s *scene) { s.signsIn(); s.redeems(300, byServer) }, check.CannotSee,
		"the app redeems its codes on a server, or it is no web app", ""},
	{"cors.origin", "a client without a secret", func(s *scene) { s.signsIn(); s.redeems(300, byServer) },
		check.CannotSee, "no script sent it", ""},
	{"request.iframe", "prompt=none in the whole page", func(s *scene) {
		s.renews([]edit{func(r *trace.Record) { r.Fetch.Dest = "document" }})
		s.redeems(300, byServer)
	}, check.CannotSee, "from a top-level page, and not from an iframe; POST /token has no Origin", ""},
	{"flow.renewal", "prompt=none in the whole page", func(s *scene) {
		s.renews([]edit{func(r *trace.Record) { r.Fetch.Dest = "document" }})
		s.redeems(300, byServer)
	}, check.Holds, "tokens were sent", ""},
	{"request.iframe", "an iframe", func(s *scene) { s.renews(nil); s.redeems(300, byServer) }, check.Holds, "iframe", ""},
	{"callback.exists", "an iframe", func(s *scene) { s.renews(nil); s.redeems(300, byServer) }, check.NotSeen,
		"fetch the pages", ""},
	{"request.iframe", "a script redeems later", func(s *scene) { s.onServer(); s.signsIn(); s.redeems(300) },
		check.NotSeen, "let it renew", ""},
	{"request.iframe", "a refresh token of a script", func(s *scene) {
		s.refreshes(func(r *trace.Record) { r.Origin, r.Fetch.Mode = app, "cors" })
	}, check.NotSeen, "uses no iframe", ""},
	{"request.iframe", "a client credentials grant", func(s *scene) {
		s.send(trace.Record{Endpoint: "token", Method: "POST", Status: 200, ClientID: "app"},
			values{"grant_type": "client_credentials"}, values{"expires_in": "300"}, nil)
	}, check.NotSeen, "let it renew", ""},
}

func TestTheChecksOfAnAppOnAServer(t *testing.T) { testRows(t, ofServers) }

// A page of a server may refuse each iframe, and that is no mistake.
func TestThePageOfAnAppOnAServer(t *testing.T) {
	s := newScene(t)
	s.onServer()
	s.serve(t, site{callback: header("X-Frame-Options", "DENY")})
	if got := s.finding(t, "callback.framable"); got.Outcome != check.CannotSee || strings.Contains(got.Seen, "DENY") {
		t.Errorf("got %+v", got)
	}
}

// What a check is about is its field, and not a list of names elsewhere.
func TestEachCheckIsNamedInItsTableOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var code strings.Builder
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(file, "_test.go") {
			code.Write(text)
		}
	}
	for _, c := range check.Checks() {
		if count := strings.Count(code.String(), `"`+c.Name+`"`); count != 1 {
			t.Errorf("%s is named %d times", c.Name, count)
		}
	}
}
