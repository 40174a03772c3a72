package rp

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

func TestABearerTokenIsDiscarded(t *testing.T) {
	a := newApp(t, usesDPoP)
	a.provider.misbehave(distortions{tokenType: "Bearer"})
	a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), oidc.ServerError,
		"token_type 'Bearer', expected DPoP")
}

func TestADPoPTokenThatNobodyAskedForIsDiscarded(t *testing.T) {
	a := newApp(t)
	a.provider.misbehave(distortions{tokenType: "DPoP"})
	a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), oidc.ServerError,
		"token_type 'DPoP', expected Bearer")
}

func TestEndlessNonceRequestsStop(t *testing.T) {
	a := newApp(t, usesDPoP)
	asked := 0
	a.provider.misbehave(distortions{fail: func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("DPoP-Nonce", strings.Repeat("n", asked))
		writeJSON(w, http.StatusBadRequest, oidc.UseDPoPNonce.Errorf("again"))
	}})
	a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), oidc.UseDPoPNonce, "keeps asking")
	if asked != 2 {
		t.Errorf("RFC 9449 §8: the request was sent %d times, expected twice", asked)
	}
}

func TestANonceIsRemembered(t *testing.T) {
	a := newApp(t, usesDPoP)
	a.provider.demandNonce("n1")
	a.signIn()
	before := a.provider.requestsTo("/token")
	a.signIn()
	if n := a.provider.requestsTo("/token") - before; n != 1 {
		t.Errorf("RFC 9449 §8.2: the second sign-in took %d token requests, expected one", n)
	}
	p := newProver(Config{DPoP: true, DPoPKey: newDPoPKey(), Now: a.clock.Now})
	for i := range 3 * maxNonces {
		r := httptest.NewRequest("GET", "http://api-"+strings.Repeat("x", i+1)+".test/", nil)
		if _, err := (transport{next: nonceServer{}, prover: p}).RoundTrip(r); err != nil {
			t.Fatal(err)
		}
	}
	if p.nonces.Len() > maxNonces {
		t.Errorf("%d nonces are remembered", p.nonces.Len())
	}
}

// nonceServer answers each request with a DPoP nonce.
type nonceServer struct{}

func (nonceServer) RoundTrip(*http.Request) (*http.Response, error) {
	header := http.Header{}
	header.Set("DPoP-Nonce", "n")
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody}, nil
}

// boundAPI is an API behind a Resource, a client's proofs and a token bound to its key.
type boundAPI struct {
	*testAPI
	prover *prover
}

func newBoundAPI(t *testing.T) *boundAPI {
	a := newAPI(t)
	return &boundAPI{a, newProver(Config{DPoP: true, DPoPKey: newDPoPKey(), Now: a.clock.Now})}
}

func (a *boundAPI) request(change func(object)) (*http.Request, string) {
	token := a.token(func(o object) {
		o["cnf"] = object{"jkt": a.prover.thumbprint}
		changed(o, change)
	})
	r := httptest.NewRequest("GET", "https://api.test/me?x=1", nil)
	r.Header.Set("Authorization", "DPoP "+token)
	return r, token
}

func (a *boundAPI) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	a.ServeHTTP(w, r)
	return w
}

func TestABoundTokenIsAccepted(t *testing.T) {
	a := newBoundAPI(t)
	r, _ := a.request(nil)
	if err := a.prover.prove(r); err != nil {
		t.Fatal(err)
	}
	if w := a.serve(r); w.Code != http.StatusOK || w.Body.String() != "alice by web" {
		t.Fatalf("RFC 9449 §7.1: %d %s", w.Code, w.Body)
	}
	w := a.serve(r)
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "used before") ||
		!strings.Contains(w.Header().Get("WWW-Authenticate"), `error="invalid_dpop_proof"`) {
		t.Errorf("RFC 9449 §11.1 a proof is good once: %d %s", w.Code, w.Body)
	}
}

// badProofs are good proofs with one change.
var badProofs = []struct {
	name   string
	header object
	claims func(object)
	says   string
}{
	{"RFC 9449 §4.3 (3) jti is present", nil, without("jti"), "got 0 bytes"},
	{"RFC 9449 §4.3 (3) iat is present", nil, without("iat"), "has an iat"},
	{"RFC 9449 §4.3 (4) typ is dpop+jwt", object{"typ": "JWT"}, nil, "got 'jwt'"},
	{"RFC 9449 §4.3 (8) htm is the method of the request", nil, with("htm", "POST"), "not GET"},
	{"RFC 9449 §4.3 (9) htu is the address of the request", nil, with("htu", "https://api.test/other"),
		"not https://api.test/me"},
	{"RFC 9449 §4.3 (9) htu has the scheme of the request", nil, with("htu", "http://api.test/me"),
		"not https://api.test/me"},
	{"RFC 9449 §4.3 (11) iat is not long ago", nil, with("iat", now-3600), "got 1h0m0s away"},
	{"RFC 9449 §4.3 (11) iat is not ahead", nil, with("iat", now+3600), "got 1h0m0s away"},
	{"RFC 9449 §4.3 (12) ath is present", nil, without("ath"), "ath is the hash"},
	{"RFC 9449 §4.3 (12) ath is the token's", nil, with("ath", ath("another")), "ath is the hash"},
	{"RFC 9449 §4.3 (7) jwk is present", object{"jwk": nil}, nil, "jwk"},
	{"RFC 9449 §4.3 (6) the signature is by jwk", object{"jwk": jose.JSONWebKey{Key: testECKey.Public()}}, nil,
		"not by its jwk"},
	{"RFC 9449 §4.3 (3) htm is a string", nil, with("htm", 7), "wrong type"},
	{"RFC 9449 §4.3 (3) a jti that is not bounded", nil, with("jti", strings.Repeat("j", 256)), "got 256 bytes"},
	{"RFC 9449 §4.3 (3) iat is a number", nil, with("iat", "now"), "wrong type"},
	{"RFC 9449 §4.3 (8) htm is compared with case", nil, with("htm", "get"), "not GET"},
	{"RFC 9449 §4.3 (9) htu is an address", nil, with("htu", "/me"), "not https://api.test/me"},
	{"RFC 9449 §4.3 (9) htu is on this host", nil, with("htu", "https://evil.test/me"), "not https://api.test/me"},
	{"RFC 9449 §4.3 (2) a header that must be understood, and is not", object{"crit": []string{"evil"}, "evil": true}, nil,
		"its header has crit"},
	{"RFC 7515 §4.1.11 crit that is empty", object{"crit": []string{}}, nil, "its header has crit"},
}

func TestBadProofs(t *testing.T) {
	var said strings.Builder
	for _, row := range badProofs {
		t.Run(row.name, func(t *testing.T) {
			a := newBoundAPI(t)
			r, token := a.request(nil)
			header := object{"typ": "dpop+jwt", "jwk": a.prover.public}
			for name, value := range row.header {
				header[name] = value
			}
			claims := changed(object{"jti": "1", "htm": "GET", "htu": "https://api.test/me", "iat": now, "ath": ath(token)},
				row.claims)
			r.Header.Set("DPoP", signJWT(t, jose.ES256, a.prover.key.Key, header, encoded(t, claims)))
			w := a.serve(r)
			said.WriteString(w.Body.String())
			if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), row.says) ||
				!strings.Contains(w.Header().Get("WWW-Authenticate"), `DPoP realm="demo", algs="RS256`) {
				t.Errorf("%d %s %s, expected …%s…", w.Code, w.Body, w.Header(), row.says)
			}
		})
	}
	said.WriteString(anotherKey(t))
	requireEachRuleBroken(t, proofRules, said.String())
}

// anotherKey sends a token with a proof by another key.
func anotherKey(t *testing.T) string {
	a := newBoundAPI(t)
	r, _ := a.request(with("cnf", object{"jkt": "somebody else's"}))
	if err := a.prover.prove(r); err != nil {
		t.Fatal(err)
	}
	w := a.serve(r)
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "signed by the key of the access token") {
		t.Errorf("RFC 9449 §4.3 (12) the key is the token's: %d %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func TestTheWrongScheme(t *testing.T) {
	a := newBoundAPI(t)
	r, token := a.request(nil)
	r.Header.Set("Authorization", "Bearer "+token)
	if w := a.serve(r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "send it as DPoP") {
		t.Errorf("RFC 9449 §7.2 a bound token is no bearer token: %d %s", w.Code, w.Body)
	}
	r, _ = a.request(without("cnf"))
	if err := a.prover.prove(r); err != nil {
		t.Fatal(err)
	}
	if w := a.serve(r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "send it as Bearer") {
		t.Errorf("RFC 9449 §7.1 an unbound token needs no proof: %d %s", w.Code, w.Body)
	}
	r, _ = a.request(nil)
	if w := a.serve(r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "0 DPoP headers") {
		t.Errorf("RFC 9449 §4.3 (1) there is one proof: %d %s", w.Code, w.Body)
	}
	r.Header["Dpop"] = []string{"a", "b"}
	if w := a.serve(r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), "2 DPoP headers") {
		t.Errorf("RFC 9449 §4.3 (1) there is not more than one proof: %d %s", w.Code, w.Body)
	}
}

func TestHTU(t *testing.T) {
	for text, want := range map[string]string{
		"https://API.test:443/me?x#y": "https://api.test/me", "http://api.test:80": "http://api.test/",
		"https://api.test/a%2Fb": "https://api.test/a%2Fb", "urn:x": "",
	} {
		if got := normalHTU(text); got != want {
			t.Errorf("RFC 9449 §4.3: %s became %q, expected %q", text, got, want)
		}
	}
}

func TestClientCallsAnAPIWithProofs(t *testing.T) {
	a := newApp(t, usesDPoP, asksForOffline)
	resource, err := NewResource(ResourceConfig{Issuer: a.provider.URL, Audience: "urn:api", Now: a.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			w.Header().Set("DPoP-Nonce", "n1")
			w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		resource.Require("api.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_,
				_ = io.Copy(w, r.Body)
		})).ServeHTTP(w, r)
	}))
	defer api.Close()
	a.signIn()
	a.clock.Pass(2 * time.Minute) // the token has to be refreshed
	response, err := a.Client(a.request()).Post(api.URL+"/echo?a=b", "text/plain", strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "hello" || asked != 2 {
		t.Errorf("RFC 9449 §9: %s %q after %d requests", response.Status, body, asked)
	}
}

// unreadableProofs are refused before their claims are read.
var unreadableProofs = []struct {
	name string
	make func(t *testing.T, a *boundAPI, claims []byte) string
	says string
}{
	{"RFC 9449 §4.3 (2) the proof is a JWT", func(*testing.T, *boundAPI, []byte) string { return "garbage" }, "not a JWT"},
	{"RFC 9449 §4.3 (5) alg is not none", func(_ *testing.T, a *boundAPI, claims []byte) string {
		return unsigned(object{"typ": "dpop+jwt", "jwk": a.prover.public}, claims)
	}, "not a JWT signed as expected"},
	{"RFC 9449 §4.3 (5) alg is not symmetric", func(t *testing.T, a *boundAPI, claims []byte) string {
		return signJWT(t, jose.HS256, make([]byte, 32), object{"typ": "dpop+jwt", "jwk": a.prover.public}, claims)
	}, "not a JWT signed as expected"},
	{"RFC 9449 §4.3 (7) jwk has no private key", func(t *testing.T, a *boundAPI, claims []byte) string {
		return signJWT(t, jose.ES256, a.prover.key.Key,
			object{"typ": "dpop+jwt", "jwk": jose.JSONWebKey{Key: a.prover.key.Key}}, claims)
	}, "private parameters"},
	{"RFC 9449 §4.3 (7) jwk is no secret", func(t *testing.T, a *boundAPI, claims []byte) string {
		return signJWT(t, jose.ES256, a.prover.key.Key,
			object{"typ": "dpop+jwt", "jwk": object{"kty": "oct", "k": "c2VjcmV0"}}, claims)
	}, "private parameters"},
}

func TestUnreadableProofs(t *testing.T) {
	for _, row := range unreadableProofs {
		t.Run(row.name, func(t *testing.T) {
			a := newBoundAPI(t)
			r, token := a.request(nil)
			r.Header.Set("DPoP", row.make(t, a, encoded(t,
				object{"jti": "1", "htm": "GET", "htu": "https://api.test/me", "iat": now, "ath": ath(token)})))
			if w := a.serve(r); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), row.says) ||
				!strings.Contains(w.Body.String(), "invalid_dpop_proof") {
				t.Errorf("%d %s, expected …%s…", w.Code, w.Body, row.says)
			}
		})
	}
}

func TestMalformedDPoPHeaders(t *testing.T) {
	for _, row := range []struct {
		name   string
		header []string
	}{
		{"RFC 9449 §7.1 DPoP without a token", []string{"DPoP"}},
		{"RFC 9449 §7.1 characters outside token68", []string{"DPoP {}"}},
		{"RFC 9449 §7.2 a token under each scheme", []string{"DPoP a", "Bearer a"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newBoundAPI(t)
			r, _ := a.request(nil)
			r.Header["Authorization"] = row.header
			if w := a.serve(r); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "invalid_request") {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
}
