package authorize

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// FuzzAuthorize: whatever comes, by GET or by POST, the browser goes nowhere but to a registered address, to a page of
// ours, or to an error; and nobody gets a code without a session.
func FuzzAuthorize(f *testing.F) {
	for _, row := range rows {
		f.Add(row.params(f).Encode()+row.raw, "", row.signed != "")
		f.Add("prompt=none", row.params(f).Encode()+row.raw, row.signed != "")
	}
	f.Add(goodParams("spa").Encode()+"&response_mode=form_post", "", true)
	f.Add("interaction=AAAA", "", false)
	e := newEndpoint(f)
	e.Grants = alwaysThisCode{} // a store would grow with every one
	e.sessions.Sessions = storage.NewBucket[session.Session]("session", storage.NewMemory(e.clock.Now))
	signed := &http.Request{Header: http.Header{}}
	e.signIn(f, signed, "alice")
	f.Fuzz(func(t *testing.T, query, body string, isSigned bool) {
		r := fuzzed(t, query, body)
		if isSigned {
			r.Header["Cookie"] = signed.Header["Cookie"]
		}
		outcome, err := e.Authorize(r)
		unpacked, _ := e.unpack(t.Context(), session.Interaction{Params: r.Form})
		params := unpacked.Params
		checkOutcome(t, params, outcome, err)
		if values := answered(t, params, outcome); values != nil {
			checkValues(t, params, opened(t, values), isSigned)
		}
	})
}

type alwaysThisCode struct{}

// Issue implements Grants.
func (alwaysThisCode) Issue(context.Context, grant.Grant) (string, error) { return "this-code", nil }

// fuzzed is a GET with the query or, with a body, a POST of both.
func fuzzed(t *testing.T, query, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/authorize", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if r.URL.RawQuery = query; body != "" {
		r.Method = http.MethodPost
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

// checkOutcome holds that there is one answer, a page only where the request allows one, and an error that a client can
// read.
func checkOutcome(t *testing.T, params url.Values, outcome Outcome, err error) {
	t.Helper()
	answers := 0
	for _, is := range []bool{err != nil, outcome.Redirect != "", outcome.Post != nil, outcome.Screen != ""} {
		if is {
			answers++
		}
	}
	if answers != 1 {
		t.Fatalf("%v gave %d answers: %+v, %v", params, answers, outcome, err)
	}
	if outcome.Screen != "" && wantsNoPage(params) {
		t.Errorf("Core §3.1.2.1 under prompt=none %v shows %s", params, outcome.Screen)
	}
	for _, failed := range []error{err, outcome.Refused} {
		if failed != nil && oidc.AsError(failed).Code == oidc.ServerError {
			t.Errorf("%v is the provider's fault: %v", params, failed)
		}
	}
}

// answered are the parameters that the client gets, nil if it gets none. They go to a registered address only.
func answered(t *testing.T, params url.Values, outcome Outcome) url.Values {
	t.Helper()
	client := params.Get("client_id")
	var uris []string
	for _, c := range testClients() {
		if c.ClientID == client {
			uris = c.RedirectURIs
		}
	}
	if post := outcome.Post; post != nil {
		if post.Target != "" && post.Target != oidc.Origin(post.RedirectURI) {
			t.Errorf("client %q gets a message for %q", client, post.Target)
		}
		if !oidc.MatchRedirectURI(uris, post.RedirectURI) {
			t.Errorf("RFC 6749 §3.1.2 client %q is answered at %q", client, post.RedirectURI)
		}
		return post.Values
	}
	address, found := strings.CutPrefix(outcome.Redirect, params.Get("redirect_uri"))
	switch {
	case outcome.Redirect == "":
		return nil
	case !found || address == "" || !oidc.MatchRedirectURI(uris, params.Get("redirect_uri")):
		t.Fatalf("RFC 6749 §3.1.2 client %q is answered at %q", client, outcome.Redirect)
	}
	if _, err := url.Parse(outcome.Redirect); err != nil {
		t.Errorf("%q is no URL: %v", outcome.Redirect, err)
	}
	values, err := url.ParseQuery(address[1:])
	if err != nil {
		t.Errorf("the answer %q cannot be read: %v", address, err)
	}
	return values
}

// opened are the parameters in the JWT of JARM, if it is one; the test's Sign makes it.
func opened(t *testing.T, values url.Values) url.Values {
	t.Helper()
	if !values.Has("response") {
		return values
	}
	var signed struct {
		Claims map[string]any `json:"claims"`
	}
	if err := json.Unmarshal([]byte(values.Get("response")), &signed); err != nil {
		t.Fatal(err)
	}
	inside := url.Values{}
	for name, value := range signed.Claims {
		if text, ok := value.(string); ok {
			inside.Set(name, text)
		}
	}
	return inside
}

// errorText is what RFC 6749 §4.1.2.1 allows in error_description.
var errorText = regexp.MustCompile(`^[\x20-\x21\x23-\x5B\x5D-\x7E]*$`)

func checkValues(t *testing.T, params, answer url.Values, isSigned bool) {
	t.Helper()
	if answer.Has("code") == answer.Has("error") || answer.Has("code") && !isSigned {
		t.Errorf("%v (signed in: %v) is answered with %v", params, isSigned, answer)
	}
	if answer.Get("state") != params.Get("state") || answer.Get("iss") != testIssuer {
		t.Errorf("%v is answered with %v; want the same state, and iss", params, answer)
	}
	if text := answer.Get("error_description"); !errorText.MatchString(text) || len(text) > 2000 {
		t.Errorf("RFC 6749 §4.1.2.1 error_description = %q", text)
	}
	if answer.Has("code") && (params.Get("response_type") != "code" ||
		!slices.Contains(strings.Fields(params.Get("scope")), "openid")) {
		t.Errorf("%v gave a code", params)
	}
}
