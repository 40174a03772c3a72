package rp

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

func pushes(c *Config)         { c.PushedAuthorizationRequests = true }
func signsRequests(c *Config)  { c.RequestObjects, c.ClientKey = true, &testClientKey }
func usesFormPost(c *Config)   { c.ResponseMode = "form_post" }
func usesDPoP(c *Config)       { c.DPoP = true }
func asksForOffline(c *Config) { c.Scopes = []string{"openid", "api.read", "offline_access"} }

// ways are the configurations with which a sign-in and a renewal must work.
var ways = []struct {
	name   string
	change []func(*Config)
	nonce  string
}{
	{"RFC 9126 §2 the request is pushed", []func(*Config){pushes}, ""},
	{"RFC 9101 §4 the request is signed", []func(*Config){signsRequests}, ""},
	{"RFC 9126 §3 a signed request is pushed", []func(*Config){pushes, signsRequests}, ""},
	{"RFC 9449 §5 tokens are bound to a key", []func(*Config){usesDPoP}, ""},
	{"RFC 9449 §8 the provider demands a nonce", []func(*Config){usesDPoP}, "n1"},
	{"RFC 9449 §10.1 a pushed request with a proof, a nonce and an assertion that is fresh each time",
		[]func(*Config){usesDPoP, pushes, signsRequests}, "n1"},
	{"RFC 7523 §2.2 client_secret_jwt", []func(*Config){func(c *Config) {
		c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodSecretJWT, testSecret
	}}, ""},
	{"RFC 7523 §2.2 private_key_jwt", []func(*Config){func(c *Config) {
		c.ClientSecret, c.ClientKey = "",
			&testClientKey
	}}, ""},
	{"Form Post Response Mode §2", []func(*Config){usesFormPost}, ""},
}

func TestSignInWithEachConfiguration(t *testing.T) {
	for _, row := range ways {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, append(row.change, asksForOffline)...)
			a.provider.demandNonce(row.nonce)
			answer := a.provider.answer(a.begin("/web/login"))
			if a.config.ResponseMode == responseModeFormPost {
				answer = url.Values{"posted": {a.post(answer)}}
			}
			if to := a.callback(answer); to != "/web/" {
				t.Fatalf("the sign-in ended at %q", to)
			}
			if status, view, e := a.finishSilent(a.provider.answer(a.begin("/web/silent"))); status != http.StatusOK ||
				view.Renewals != 1 {
				t.Errorf("the silent renewal: %d %v", status, e)
			}
			if status, view, e := a.refreshes(); status != http.StatusOK || view.Renewals != 2 {
				t.Errorf("the refresh: %d %v", status, e)
			}
			if claims, err := a.UserInfo(a.request()); err != nil || !strings.Contains(string(claims), "Alice") {
				t.Errorf("userinfo: %s %v", claims, err)
			}
		})
	}
}

// post delivers the answer as a form of the provider does, without the flow's cookies, and returns the value of posted.
func (a *testApp) post(answer url.Values) string {
	a.t.Helper()
	bare := newBrowser(a.t)
	bare, a.browser = a.browser, bare
	response := a.do("POST", "/web/callback", answer.Encode(), "Sec-Fetch-Site", "cross-site")
	a.browser = bare
	location := a.location(response)
	here, _ := url.Parse(a.server.URL)
	a.browser.Jar.SetCookies(here, response.Cookies())
	u, err := url.Parse(location)
	if err != nil || u.Path != "/web/callback" || len(u.Query()) != 1 {
		a.t.Fatalf("sent to %q, expected the callback without the answer in its query", location)
	}
	return u.Query().Get("posted")
}

func TestFormPost(t *testing.T) {
	a := newApp(t, usesFormPost)
	request := authorizationRequest(t, a.begin("/web/login"))
	if request.Get("response_mode") != "form_post" {
		t.Error("Form Post Response Mode §2: response_mode is not asked for")
	}
	if silent := authorizationRequest(t, a.begin("/web/silent")); silent.Has("response_mode") {
		t.Error("a silent answer comes by query, to a page that reads it there")
	}
	answer := a.provider.answer(a.begin("/web/login"))
	answer.Set("iss", "https://evil.test")
	e := a.failure(a.callback(url.Values{"posted": {a.post(answer)}}))
	a.refused(e, IssuerMismatch, "RFC 9207")

	answer = a.provider.answer(a.begin("/web/login"))
	where := a.post(answer)
	a.clock.Pass(postedLifetime)
	a.refused(a.failure(a.callback(url.Values{"posted": {where}})), InvalidState, "no sign-in of this browser")
	e = a.failure(a.location(a.do("POST", "/web/callback", "code="+strings.Repeat("x", maxPosted))))
	a.refused(e, oidc.InvalidRequest, "at most 1024")
}

func TestAPushedRequestLeavesAReferenceInTheURL(t *testing.T) {
	a := newApp(t, pushes)
	u, _ := url.Parse(a.begin("/web/login?login_hint=bob"))
	if q := u.Query(); len(q) != 2 || q.Get("client_id") != "web" ||
		!strings.HasPrefix(q.Get("request_uri"), "urn:ietf:params:oauth:request_uri:") {
		t.Errorf("RFC 9126 §4: %v", q)
	}
}

func TestAProviderThatDemandsPushedRequestsGetsThem(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{metadata: with("require_pushed_authorization_requests", true)})
	if u, _ := url.Parse(a.begin("/web/login")); !u.Query().Has("request_uri") {
		t.Errorf("RFC 9126 §5: %v", u)
	}
}

func TestPushFails(t *testing.T) {
	for _, row := range []struct {
		name string
		bad  distortions
		code oidc.ErrorCode
		says string
	}{
		{"RFC 9126 §2.3 an error is put into words", distortions{parStatus: 400}, oidc.InvalidRequest,
			"The provider says: not like that"},
		{"RFC 9126 §5 a provider without the endpoint",
			distortions{metadata: without("pushed_authorization_request_endpoint")}, oidc.ServerError,
			"cannot take pushed requests"},
		{"RFC 9126 §2.2 an answer that is an object without request_uri", distortions{metadata: pushedTo("/par/nothing")},
			oidc.ServerError, "has no request_uri"},
		{"RFC 9126 §2.2 a request_uri that is no string", distortions{metadata: pushedTo("/par/seven")}, oidc.ServerError,
			"no JSON object"},
		{"a redirect, which would take the request along, is not followed", distortions{metadata: pushedTo("/elsewhere")},
			ProviderDown, "307"},
		{"an answer of more than 1 MB", distortions{metadata: pushedTo("/endless")}, ProviderDown, "more than 1048576 bytes"},
		{"RFC 9126 §2.2 an answer without a body", distortions{metadata: func(o object) {
			o["pushed_authorization_request_endpoint"] = o["revocation_endpoint"].(string) + "?empty"
		}}, oidc.ServerError, "no JSON object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, pushes)
			a.provider.misbehave(row.bad)
			a.refused(a.failure(a.begin("/web/login")), row.code, row.says)
		})
	}
}

func pushedTo(path string) func(object) {
	return func(o object) { o["pushed_authorization_request_endpoint"] = o["issuer"].(string) + path }
}

func TestRequestParameters(t *testing.T) {
	a := newApp(t, usesDPoP, func(c *Config) {
		c.Claims = &oidc.ClaimsRequest{IDToken: map[string]*oidc.ClaimRequest{"acr": {Essential: true, Values: []any{"2"}}},
			Userinfo: map[string]*oidc.ClaimRequest{"name": nil}}
		c.Resources = []string{"https://api.example.com/a", "https://api.example.com/b"}
	})
	q := authorizationRequest(t, a.begin("/web/login"))
	if got := q.Get("claims"); got != `{"userinfo":{"name":null},"id_token":{"acr":{"essential":true,"values":["2"]}}}` {
		t.Errorf("Core §5.5: claims is %s", got)
	}
	if !slices.Equal(q["resource"], a.config.Resources) {
		t.Errorf("RFC 8707 §2: resource is %q", q["resource"])
	}
	if q.Get("dpop_jkt") != a.prover.thumbprint || len(q.Get("dpop_jkt")) != 43 {
		t.Errorf("RFC 9449 §10: dpop_jkt is %q", q.Get("dpop_jkt"))
	}
}

func TestRequestObjectHoldsEverything(t *testing.T) {
	a := newApp(t, signsRequests, func(c *Config) {
		c.Claims = &oidc.ClaimsRequest{Userinfo: map[string]*oidc.ClaimRequest{"name": nil}}
		c.Resources = []string{"https://api.example.com/a", "https://api.example.com/b"}
	})
	q := authorizationRequest(t, a.begin("/web/login?max_age=60"))
	for name := range q {
		if !slices.Contains([]string{"request", "response_type", "client_id", "scope"}, name) {
			t.Errorf("RFC 9101 §5: %s stands outside the request object as well", name)
		}
	}
	claims, err := a.provider.ofClient(q.Get("request"))
	if err != nil {
		t.Fatal(err)
	}
	if claims["client_id"] != "web" || claims["iss"] != "web" || claims["max_age"] != 60.0 ||
		claims["code_challenge_method"] != "S256" {
		t.Errorf("RFC 9101 §4: %v", claims)
	}
	if _, isObject := claims["claims"].(object); !isObject || len(claims["resource"].([]any)) != 2 {
		t.Errorf("Core §6.1 claims is a JSON object, RFC 8707 §2 resource an array: %v", claims)
	}
}

func TestInitiatedLogin(t *testing.T) {
	a := newApp(t)
	here := url.QueryEscape(a.server.URL + "/web/deep?x=1")
	iss := "/web/initiate-login?iss=" + url.QueryEscape(a.provider.URL)
	location := a.begin(iss + "&login_hint=bob&target_link_uri=" + here)
	if q := authorizationRequest(t, location); q.Get("login_hint") != "bob" {
		t.Errorf("Core §4: login_hint is %q", q.Get("login_hint"))
	}
	if to := a.callback(a.provider.answer(location)); to != "/web/deep?x=1" {
		t.Errorf("Core §4: target_link_uri is where the user goes, not %q", to)
	}
	posted := a.location(a.do("POST", "/web/initiate-login",
		url.Values{"iss": {a.provider.URL}, "login_hint": {"bob"}}.Encode(), "Origin", a.provider.URL))
	if q := authorizationRequest(t, posted); q.Get("login_hint") != "bob" {
		t.Errorf("Core §4: a POST of another site begins a sign-in as a GET does: %v", q)
	}
	for _, row := range []struct {
		name, query string
		code        oidc.ErrorCode
		says        string
	}{
		{"Core §4 iss is the provider's", "/web/initiate-login?iss=https://evil.test", IssuerMismatch,
			"only that provider's users"},
		{"Core §4 iss is present", "/web/initiate-login", IssuerMismatch, "iss is ''"},
		{"Core §4 target_link_uri is no open redirector", iss + "&target_link_uri=https://evil.test/", oidc.InvalidRequest,
			"another origin"},
		{"Core §4 target_link_uri on a host whose name begins like ours", iss + "&target_link_uri=" +
			url.QueryEscape(a.server.URL+".evil.test/"), oidc.InvalidRequest, "another origin"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := testApp{RP: a.RP, t: t, server: a.server, browser: newBrowser(t), provider: a.provider}
			a.refused(a.failure(a.begin(row.query)), row.code, row.says)
		})
	}
}

func TestJWKSPublishesPublicHalves(t *testing.T) {
	a := newApp(t, signsRequests, func(c *Config) { c.DecryptionKeys = testDecryptionKeys })
	var set struct{ Keys []map[string]any }
	if err := json.NewDecoder(a.do("GET", "/web/jwks", "").Body).Decode(&set); err != nil || len(set.Keys) != 3 {
		t.Fatalf("%v %v", set, err)
	}
	for i, use := range []string{"sig", "enc", "enc"} {
		if key := set.Keys[i]; key["use"] != use || key["d"] != nil || key["kid"] == "" {
			t.Errorf("RFC 7517 §4: %v", key)
		}
	}
}
