package rp

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// testAPI is an API behind a Resource.
type testAPI struct {
	http.Handler
	t        *testing.T
	provider *fakeProvider
	clock    *storagetest.Clock
}

func newAPI(t *testing.T) *testAPI {
	t.Helper()
	clock := storagetest.NewClock()
	p := newProviderForTest(t, clock)
	s, err := NewResource(ResourceConfig{Issuer: p.URL, Audience: "urn:api", Realm: "demo", Now: clock.Now,
		Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ok := AccessTokenFrom(r.Context())
		if !ok {
			t.Error("no access token in the context")
		}
		_, _ = io.WriteString(w, token.Sub+" by "+token.ClientID)
	})
	return &testAPI{Handler: s.Require("api.read")(echo), t: t, provider: p, clock: clock}
}

func (a *testAPI) call(target string, authorization ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", target, nil)
	for _, value := range authorization {
		r.Header.Add("Authorization", value)
	}
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func (a *testAPI) token(change func(object)) string {
	return a.provider.sign("at+jwt", a.provider.accessClaims(change))
}

// refused checks the answer of RFC 6750 §3 and returns its description.
func (a *testAPI) refused(w *httptest.ResponseRecorder, status int, code, says string) string {
	a.t.Helper()
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		a.t.Fatalf("no JSON: %s", w.Body)
	}
	challenge := w.Header().Get("WWW-Authenticate")
	if w.Code != status || body.Error != code || !strings.Contains(body.Description, says) {
		a.t.Errorf("%d %s, expected %d %s …%s…", w.Code, w.Body, status, code, says)
	}
	want := `Bearer realm="demo", error="` + code + `", error_description="` + body.Description + `"`
	if !strings.HasPrefix(challenge, want) || w.Header().Get("Cache-Control") != "no-store" {
		a.t.Errorf("WWW-Authenticate: %s\nexpected          %s", challenge, want)
	}
	return body.Description
}

func TestGoodAccessTokens(t *testing.T) {
	a := newAPI(t)
	for _, row := range []struct{ name, authorization string }{
		{"RFC 6750 §2.1", "Bearer " + a.token(nil)},
		{"RFC 9110 §11.4 two spaces may stand before the token", "Bearer  " + a.token(nil)},
		{"RFC 9110 §11.1 the scheme is case-insensitive", "bEARER " + a.token(nil)},
		{"RFC 7519 §4.1.3 aud may be a list", "Bearer " + a.token(with("aud", []string{"urn:other", "urn:api"}))},
		{"RFC 9068 §4 typ may be application/at+jwt", "Bearer " +
			a.provider.sign("application/at+jwt", a.provider.accessClaims(nil))},
		{"RFC 7515 §4.1.9 typ is case-insensitive", "Bearer " + a.provider.sign("AT+JWT", a.provider.accessClaims(nil))},
		{"an iat a little ahead", "Bearer " + a.token(with("iat", now+30))},
	} {
		t.Run(row.name, func(t *testing.T) {
			if w := a.call("/", row.authorization); w.Code != 200 || w.Body.String() != "alice by web" {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	if n := a.provider.requestsTo("/jwks"); n != 1 {
		t.Errorf("the keys were fetched %d times, expected once", n)
	}
}

func TestNoAccessToken(t *testing.T) {
	a := newAPI(t)
	for _, authorization := range [][]string{nil, {"Basic d2ViOng="}, {""}} {
		w := a.call("/", authorization...)
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") != `Bearer realm="demo"` ||
			strings.Contains(w.Body.String(), `"error"`) {
			t.Errorf("RFC 6750 §3.1: no error code without a token: %d %v %s", w.Code, w.Header(), w.Body)
		}
	}
}

func TestMalformedRequests(t *testing.T) {
	a := newAPI(t)
	good := a.token(nil)
	for _, row := range []struct {
		name, target string
		header       []string
		says         string
	}{
		{"RFC 6750 §2.1 Bearer without a token", "/", []string{"Bearer"}, "a space and a token"},
		{"RFC 6750 §2.1 Bearer with nothing", "/", []string{"Bearer "}, "a space and a token"},
		{"RFC 6750 §2.1 more than a token", "/", []string{"Bearer " + good + " x"}, "a space and a token"},
		{"RFC 6750 §2.1 characters outside b64token", "/", []string{"Bearer {}"}, "a space and a token"},
		{"RFC 6750 §2 a token in two headers", "/", []string{"Bearer " + good, "Bearer " + good}, "2 Authorization headers"},
		{"RFC 6750 §2 a token in the header and the query", "/?access_token=" + good, []string{"Bearer " + good},
			"in the query"},
		{"RFC 6750 §2.3 a token in the query", "/?access_token=" + good, nil, "in the query"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a.refused(a.call(row.target, row.header...), 400, "invalid_request", row.says)
		})
	}
}

func TestBadAccessTokens(t *testing.T) {
	a := newAPI(t)
	a.provider.keys = append(a.provider.keys, signingKey{"rsa-2", jose.RS256, testRSAKey},
		signingKey{"ec-2", jose.ES256, foreignKey})
	es256 := func(kid string, key any, payload []byte) string {
		return signJWT(t, jose.ES256, key, object{"typ": "at+jwt", "kid": kid}, payload)
	}
	good, _ := json.Marshal(a.provider.accessClaims(nil))
	var said strings.Builder
	for _, row := range []struct{ name, token, says string }{
		{"RFC 7519 §7.2 it is a JWT", "opaque", "not a JWT"},
		{"RFC 9068 §4 alg is not none", unsigned(object{"typ": "at+jwt", "kid": "ec-1"}, good), "not a JWT signed"},
		{"RFC 8725 §3.1 alg is not HMAC", signJWT(t, jose.HS256, make([]byte, 32), object{"typ": "at+jwt", "kid": "ec-1"},
			good), "not a JWT signed as expected"},
		{"RFC 9068 §4 typ is at+jwt: an ID Token is not", a.provider.sign("JWT", a.provider.accessClaims(nil)),
			"got 'jwt'"},
		{"RFC 9068 §4 typ is present", signJWT(t, jose.ES256, testECKey, object{"kid": "ec-1"}, good), "typ is at+jwt"},
		{"RFC 9068 §4 the signature verifies", es256("ec-1", foreignKey, good), "no key of the provider"},
		{"RFC 7515 §4.1.4 kid is one that the provider publishes", es256("unknown", testECKey, good), "kid 'unknown'"},
		{"RFC 8725 §3.1 a key serves its own alg only",
			signJWT(t, jose.PS256, testRSAKey, object{"typ": "at+jwt", "kid": "rsa-2"}, good), "no key for PS256"},
		{"RFC 9068 §2.2 claims have the right types", a.token(with("client_id", 7)), "wrong type"},
		{"RFC 9068 §4 iss is the provider", a.token(with("iss", "https://evil.test")), "got 'https://evil.test'"},
		{"RFC 9068 §4 aud contains this API", a.token(with("aud", "urn:other")), "aud contains this API"},
		{"RFC 9068 §4 aud is present", a.token(without("aud")), "aud contains this API"},
		{"RFC 9068 §4 now is before exp", a.token(with("exp", now-12)), "got 12s ago"},
		{"RFC 7519 §4.1.4 exp itself is too late", a.token(with("exp", now)), "got 0s ago"},
		{"RFC 9068 §2.2 exp is present", a.token(without("exp")), "has an exp"},
		{"RFC 7519 §4.1.5 now is not before nbf", a.token(with("nbf", now+120)), "nbf, when present"},
		{"RFC 9068 §2.2 iat is present", a.token(without("iat")), "has an iat"},
		{"RFC 7519 §4.1.6 iat is not in the future", a.token(with("iat", now+120)), "ahead of this API's clock"},
		{"RFC 9068 §2.2 sub is present", a.token(without("sub")), "has a sub"},
		{"RFC 9068 §2.2 client_id is present", a.token(without("client_id")), "has a client_id"},
		{"RFC 9068 §2.2 jti is present", a.token(without("jti")), "has a jti"},
		{"RFC 7800 §3.1 a token bound in a way that this API cannot check", a.token(with("cnf", object{"x5t#S256": "abc"})),
			"has a jkt"},
		{"RFC 7800 §3.1 cnf is an object", a.token(with("cnf", "abc")), "wrong type"},
		{"RFC 7519 §4.1.3 aud of another case is another", a.token(with("aud", "URN:API")), "aud contains this API"},
		{"RFC 8725 §3.10 a key inside the token is not trusted", signJWT(t, jose.ES256, foreignKey,
			object{"typ": "at+jwt", "kid": "ec-1", "jwk": jose.JSONWebKey{Key: foreignKey.Public()}}, good), "no key of"},
		{"RFC 7515 §4.1.11 a header that must be understood, and is not", signJWT(t, jose.ES256, testECKey,
			object{"typ": "at+jwt", "kid": "ec-1", "crit": []string{"evil"}, "evil": true}, good), "its header has crit"},
		{"RFC 7515 §4.1.11 crit that is empty", signJWT(t, jose.ES256, testECKey,
			object{"typ": "at+jwt", "kid": "ec-1", "crit": []string{}}, good), "its header has crit"},
		{"Core §10.1 kid is present where the provider publishes several keys for the alg",
			signJWT(t, jose.ES256, testECKey, object{"typ": "at+jwt"}, good), "names no kid"},
	} {
		t.Run(row.name, func(t *testing.T) {
			said.WriteString(a.refused(a.call("/", "Bearer "+row.token), 401, "invalid_token", row.says))
		})
	}
	requireEachRuleBroken(t, accessTokenRules, said.String())
}

func TestInsufficientScope(t *testing.T) {
	a := newAPI(t)
	for _, change := range []func(object){with("scope", "openid api.write"), without("scope")} {
		w := a.call("/", "Bearer "+a.token(change))
		a.refused(w, 403, "insufficient_scope", "this needs the scope 'api.read'")
		if !strings.HasSuffix(w.Header().Get("WWW-Authenticate"), `, scope="api.read"`) {
			t.Errorf("RFC 6750 §3: %s", w.Header().Get("WWW-Authenticate"))
		}
	}
}

func TestProviderDownAtTheAPI(t *testing.T) {
	a := newAPI(t)
	token := a.token(nil)
	a.provider.misbehave(distortions{jwksStatus: 500})
	for range 2 * maxFetches {
		w := a.call("/", "Bearer "+token)
		if w.Code != 503 || w.Header().Get("WWW-Authenticate") != "" || !strings.Contains(w.Body.String(), "provider_down") {
			t.Fatalf("a failure of the provider is no fault of the token: %d %s", w.Code, w.Body)
		}
	}
	a.provider.misbehave(distortions{})
	if w := a.call("/", "Bearer "+token); w.Code != 200 {
		t.Errorf("the provider is back: %d %s", w.Code, w.Body)
	}
	a.provider.Close()
	if w := a.call("/", "Bearer "+token); w.Code != 200 {
		t.Errorf("keys that are known need no provider: %d %s", w.Code, w.Body)
	}
	a = newAPI(t)
	token = a.token(nil)
	a.provider.Close()
	if w := a.call("/", "Bearer "+token); w.Code != 503 || !strings.Contains(w.Body.String(), "is it running?") {
		t.Errorf("never discovered: %d %s", w.Code, w.Body)
	}
}

func TestKeyRotationAtTheAPI(t *testing.T) {
	a := newAPI(t)
	old := a.token(nil)
	a.call("/", "Bearer "+old)
	a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
	for _, token := range []string{a.token(nil), old} {
		if w := a.call("/", "Bearer "+token); w.Code != 200 {
			t.Errorf("Core §10.1.1: %d %s", w.Code, w.Body)
		}
	}
	if n := a.provider.requestsTo("/jwks"); n != 2 {
		t.Errorf("the keys were fetched %d times, expected once for each new key", n)
	}
}

func TestAWithdrawnKeyExpires(t *testing.T) {
	a := newAPI(t)
	old := a.provider.accessClaims(with("exp", now+3600))
	token := a.provider.sign("at+jwt", old)
	a.call("/", "Bearer "+token)
	a.provider.withdrawAllFor(signingKey{"rsa-2", jose.RS256, testRSAKey})
	if w := a.call("/", "Bearer "+token); w.Code != 200 {
		t.Errorf("keys are used for %v before they are fetched again: %d %s", freshFor, w.Code, w.Body)
	}
	a.clock.Pass(freshFor)
	if w := a.call("/", "Bearer "+token); w.Code != 401 {
		t.Errorf("after %v a withdrawn key is trusted: %d %s", freshFor, w.Code, w.Body)
	}
}

func TestOldKeysServeWhileTheProviderIsDown(t *testing.T) {
	a := newAPI(t)
	token := a.provider.sign("at+jwt", a.provider.accessClaims(with("exp", now+3600)))
	a.call("/", "Bearer "+token)
	a.provider.Close()
	a.clock.Pass(freshFor)
	if w := a.call("/", "Bearer "+token); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestUnusableKeysAreIgnored(t *testing.T) {
	set := []json.RawMessage{
		[]byte(`{"kty":"unheard-of","kid":"1"}`), []byte(`7`),
		[]byte(`{"kty":"oct","kid":"2","k":"c2VjcmV0"}`),
		withMember(t, testECKey.Public(), "key_ops", []string{"encrypt"}), // RFC 7517 §4.3
		withMember(t, testECKey.Public(), "use", "else"),                  // RFC 7517 §4.2
		withMember(t, testECKey.Public(), "x5c", []string{"bm8gY2VydA=="}),
	}
	for _, key := range []jose.JSONWebKey{
		{Key: testECKey, KeyID: "private"},
		{Key: testECKey.Public(), KeyID: "for encryption", Use: "enc"},
		{Key: mustKey(rsa.GenerateKey(rand.Reader, 1024)).Public(), KeyID: "weak"}, // RFC 7518 §3.3
		{Key: testECKey.Public(), KeyID: "good"},
	} {
		raw, err := json.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		set = append(set, raw)
	}
	var read oidc.KeySet
	if err := json.Unmarshal(encoded(t, object{"keys": set}), &read); err != nil {
		t.Fatal(err)
	}
	if keys, err := read.Verifying("ES256", ""); err != nil || len(keys) != 1 || keys[0].KeyID != "good" {
		t.Errorf("RFC 7517 §5: %v %v", keys, err)
	}
}

func withMember(t *testing.T, key any, name string, value any) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: name})
	var members object
	if err == nil {
		err = json.Unmarshal(raw, &members)
	}
	if err != nil {
		t.Fatal(err)
	}
	members[name] = value
	return encoded(t, members)
}

func TestBadTokensCauseFewKeyRequests(t *testing.T) {
	a := newAPI(t)
	garbage := signJWT(t, jose.ES256, foreignKey, object{"typ": "at+jwt", "kid": "garbage"}, []byte("{}"))
	for range 10 * maxFetches {
		a.call("/", "Bearer "+garbage)
	}
	if n := a.provider.requestsTo("/jwks"); n != maxFetches {
		t.Errorf("%d requests for keys, expected %d", n, maxFetches)
	}
	a.clock.Pass(fetchWindow)
	a.provider.rotate(signingKey{"rsa-2", jose.RS256, testRSAKey})
	if w := a.call("/", "Bearer "+a.token(nil)); w.Code != 200 {
		t.Errorf("a new key after %v: %d %s", fetchWindow, w.Code, w.Body)
	}
}

func TestParallelFirstCallsShareOneFetch(t *testing.T) {
	a := newAPI(t)
	token := a.token(nil)
	var calls sync.WaitGroup
	for range 8 {
		calls.Go(func() {
			if w := a.call("/", "Bearer "+token); w.Code != 200 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	calls.Wait()
	if n := a.provider.requestsTo("/jwks"); n > maxFetches {
		t.Errorf("the keys were fetched %d times", n)
	}
}

func TestAccessTokenFrom(t *testing.T) {
	if _, ok := AccessTokenFrom(t.Context()); ok {
		t.Error("a context without a token has one")
	}
	a := newAPI(t)
	s, err := NewResource(ResourceConfig{Issuer: a.provider.URL, Audience: "urn:api", Now: a.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	token, err := s.verify(t.Context(), a.token(with("extra", "yes")))
	if err != nil {
		t.Fatal(err)
	}
	if token.Iss != a.provider.URL || token.Sub != "alice" || token.Aud[0] != "urn:api" || token.Jti == "" ||
		!token.Scope.Has("api.read") ||
		!token.Exp.Equal(a.clock.Now().Add(90*time.Second)) || !token.Iat.Equal(a.clock.Now()) ||
		!strings.Contains(string(token.Claims), `"extra"`) {
		t.Errorf("%+v", token)
	}
}
