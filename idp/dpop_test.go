package idp_test

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// holder is a client of the provider that holds a key.
type holder struct {
	t   *testing.T
	p   *idptest.Provider
	b   *idptest.Browser
	key crypto.Signer
	alg jose.SignatureAlgorithm // "": ES256
}

func newHolder(t *testing.T, change func(*idp.Config)) *holder {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := idptest.Start(t, change)
	h := &holder{t: t, p: p, b: p.Browser(t), key: key}
	h.b.SignIn("alice")
	return h
}

func (h *holder) jkt() string {
	h.t.Helper()
	public := jose.JSONWebKey{Key: h.key.Public()}
	sum, err := public.Thumbprint(crypto.SHA256)
	if err != nil {
		h.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

// proof is one for a request, with more claims.
func (h *holder) proof(method, path string, more map[string]any) string {
	h.t.Helper()
	options := new(jose.SignerOptions).WithType("dpop+jwt").WithHeader("jwk", jose.JSONWebKey{Key: h.key.Public()})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: cmp.Or(h.alg, jose.ES256), Key: h.key}, options)
	if err != nil {
		h.t.Fatal(err)
	}
	all := map[string]any{"jti": rand.Text(), "htm": method, "htu": h.p.Issuer + path, "iat": h.p.Clock.Now().Unix()}
	maps.Copy(all, more)
	text, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		h.t.Fatal(err)
	}
	return text
}

func ath(token string) map[string]any {
	sum := sha256.Sum256([]byte(token))
	return map[string]any{"ath": base64.RawURLEncoding.EncodeToString(sum[:])}
}

// redeem is the request that turns a new code of the client spa into tokens.
func (h *holder) redeem(proof string, change ...string) *httptest.ResponseRecorder {
	h.t.Helper()
	return h.redeemCode(h.b.Code(idptest.Request("spa", change...)), proof)
}

func (h *holder) redeemCode(code, proof string) *httptest.ResponseRecorder {
	h.t.Helper()
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "client_id": {"spa"}, "code_verifier": {idptest.CodeVerifier},
		"redirect_uri": {idptest.Request("spa").Get("redirect_uri")},
	}
	r := get(h.t, "POST", "/token", form)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return serve(h.p, r)
}

// boundToken is an access token that is bound to the holder's key.
func (h *holder) boundToken() string {
	h.t.Helper()
	w := h.redeem(h.proof("POST", "/token", nil))
	tokens := body(h.t, w)
	if w.Code != http.StatusOK || tokens["token_type"] != "DPoP" {
		h.t.Fatalf("got %d %s", w.Code, w.Body)
	}
	return tokens["access_token"].(string)
}

func body(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	return idptest.Page{Body: w.Body.String()}.JSON(t)
}

func (h *holder) userinfo(authorization, proof string) *httptest.ResponseRecorder {
	h.t.Helper()
	r := get(h.t, "GET", "/userinfo", nil, "Authorization", authorization)
	if proof != "" {
		r.Header.Set("DPoP", proof)
	}
	return serve(h.p, r)
}

func TestTokensBoundToAKey(t *testing.T) { // RFC 9449 §5 and §6
	h := newHolder(t, nil)
	w := h.redeem(h.proof("POST", "/token", nil))
	tokens := body(t, w)
	if tokens["token_type"] != "DPoP" || w.Header().Get("DPoP-Nonce") == "" {
		t.Errorf("got %s", w.Body)
	}
	if cnf := claims(t, tokens["access_token"])["cnf"].(map[string]any); cnf["jkt"] != h.jkt() {
		t.Errorf("cnf is %v", cnf)
	}
	if claims(t, tokens["id_token"])["cnf"] != nil {
		t.Error("the ID token is bound")
	}
	plain := body(t, h.redeem(""))
	if plain["token_type"] != "Bearer" || claims(t, plain["access_token"])["cnf"] != nil {
		t.Errorf("without a proof: got %v", plain)
	}
}

func wantRefusal(t *testing.T, w *httptest.ResponseRecorder, status int, code string) {
	t.Helper()
	if got := body(t, w); w.Code != status || got["error"] != code {
		t.Errorf("got %d %s; want %d %s", w.Code, w.Body, status, code)
	}
}

func TestProofsAtTheTokenEndpoint(t *testing.T) {
	for _, row := range []struct {
		name string
		make func(h *holder) string
		want string
	}{
		{
			"RFC 9449 §5 a proof for another endpoint", func(h *holder) string { return h.proof("POST", "/userinfo", nil) },
			"invalid_dpop_proof",
		},
		{
			"RFC 9449 §5 a proof for another method", func(h *holder) string { return h.proof("GET", "/token", nil) },
			"invalid_dpop_proof",
		},
		{"RFC 9449 §5 what is no proof", func(*holder) string { return "x" }, "invalid_dpop_proof"},
		{
			"RFC 9449 §8 a nonce of nobody",
			func(h *holder) string { return h.proof("POST", "/token", map[string]any{"nonce": "x"}) }, "use_dpop_nonce",
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHolder(t, nil)
			code := h.b.Code(idptest.Request("spa"))
			w := h.redeemCode(code, row.make(h))
			wantRefusal(t, w, http.StatusBadRequest, row.want)
			if w.Header().Get("DPoP-Nonce") == "" {
				t.Error("no nonce came")
			}
			if again := h.redeemCode(
				code, h.proof("POST", "/token", map[string]any{"nonce": w.Header().Get("DPoP-Nonce")}),
			); again.Code != http.StatusOK {
				t.Errorf("the code was spent: %s", again.Body)
			}
		})
	}
}

func TestAProofIsGoodOnceAtTheProvider(t *testing.T) { // RFC 9449 §11.1
	h := newHolder(t, nil)
	proof := h.proof("POST", "/token", nil)
	if w := h.redeem(proof); w.Code != http.StatusOK {
		t.Fatal(w.Body)
	}
	wantRefusal(t, h.redeem(proof), http.StatusBadRequest, "invalid_dpop_proof")
}

func TestANonceIsDemandedWhereConfigured(t *testing.T) { // RFC 9449 §8
	h := newHolder(t, func(c *idp.Config) { c.DPoP.RequireNonce = true })
	w := h.redeem(h.proof("POST", "/token", nil))
	wantRefusal(t, w, http.StatusBadRequest, "use_dpop_nonce")
	nonce := map[string]any{"nonce": w.Header().Get("DPoP-Nonce")}
	tokens := body(t, h.redeem(h.proof("POST", "/token", nonce)))
	token := tokens["access_token"].(string)
	w = h.userinfo("DPoP "+token, h.proof("GET", "/userinfo", ath(token)))
	wantRefusal(t, w, http.StatusUnauthorized, "use_dpop_nonce") // RFC 9449 §9
	if !strings.Contains(w.Header().Get("WWW-Authenticate"), `error="use_dpop_nonce"`) {
		t.Errorf("the challenge is %s", w.Header().Get("WWW-Authenticate"))
	}
	maps.Copy(nonce, ath(token))
	if w = h.userinfo("DPoP "+token, h.proof("GET", "/userinfo", nonce)); w.Code != http.StatusOK {
		t.Error(w.Body)
	}
}

func TestAClientThatMustBindItsTokens(t *testing.T) { // RFC 9449 §5.2
	h := newHolder(t, func(c *idp.Config) {
		*c = c.WithDefaults()
		c.Clients[0].DPoPBoundAccessTokens = true
	})
	wantRefusal(t, h.redeem(""), http.StatusBadRequest, "invalid_dpop_proof")
	if w := h.redeem(h.proof("POST", "/token", nil)); w.Code != http.StatusOK {
		t.Error(w.Body)
	}
}

func TestACodeBoundToAKey(t *testing.T) {
	for _, row := range []struct {
		name  string
		proof func(h *holder) string
		want  int
	}{
		{"RFC 9449 §10 the key of dpop_jkt", func(h *holder) string { return h.proof("POST", "/token", nil) }, http.StatusOK},
		{"RFC 9449 §10 no proof", func(*holder) string { return "" }, http.StatusBadRequest},
		{"RFC 9449 §10 another key", func(h *holder) string {
			other := newHolder(h.t, nil)
			other.p = h.p
			return other.proof("POST", "/token", nil)
		}, http.StatusBadRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := newHolder(t, nil)
			if w := h.redeem(row.proof(h), "dpop_jkt", h.jkt()); w.Code != row.want {
				t.Errorf("got %d %s", w.Code, w.Body)
			} else if row.want != http.StatusOK {
				wantRefusal(t, w, row.want, "invalid_grant")
			}
		})
	}
}

func TestUserinfoWithABoundToken(t *testing.T) {
	h := newHolder(t, nil)
	token := h.boundToken()
	good := func() string { return h.proof("GET", "/userinfo", ath(token)) }
	if w := h.userinfo("DPoP "+token, good()); w.Code != http.StatusOK || w.Header().Get("DPoP-Nonce") == "" {
		t.Fatalf("RFC 9449 §7.1: got %d %s", w.Code, w.Body)
	}
	used := good()
	h.userinfo("DPoP "+token, used)
	other := newHolder(t, nil)
	other.p = h.p
	for _, row := range []struct{ name, authorization, proof, want string }{
		{"RFC 9449 §7.2 a bound token is no bearer token", "Bearer " + token, "", "invalid_token"},
		{"RFC 9449 §7.2 a bound token is no bearer token, with a proof either", "Bearer " + token, good(), "invalid_token"},
		{"RFC 9449 §7.1 a proof is there", "DPoP " + token, "", "invalid_dpop_proof"},
		{"RFC 9449 §4.3 the proof has ath", "DPoP " + token, h.proof("GET", "/userinfo", nil), "invalid_dpop_proof"},
		{
			"RFC 9449 §4.3 ath is that of the token", "DPoP " + token, h.proof("GET", "/userinfo", ath("another")),
			"invalid_dpop_proof",
		},
		{
			"RFC 9449 §7.1 the proof is of the token's key", "DPoP " + token, other.proof("GET", "/userinfo", ath(token)),
			"invalid_dpop_proof",
		},
		{
			"RFC 9449 §7.1 the proof is for this method", "DPoP " + token, h.proof("POST", "/userinfo", ath(token)),
			"invalid_dpop_proof",
		},
		{"RFC 9449 §11.1 the proof was not used before", "DPoP " + token, used, "invalid_dpop_proof"},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := h.userinfo(row.authorization, row.proof)
			wantRefusal(t, w, http.StatusUnauthorized, row.want)
			challenge := w.Header().Get("WWW-Authenticate")
			if !strings.HasPrefix(challenge, `DPoP algs="ES256`) || !strings.Contains(challenge, `error="`+row.want+`"`) {
				t.Errorf("RFC 9449 §7.1: the challenge is %s", challenge)
			}
		})
	}
}

// RFC 9449 §7.2: received as a bearer token it is refused, in whichever way
func TestABoundTokenInTheBody(t *testing.T) {
	h := newHolder(t, nil)
	token := h.boundToken()
	form := url.Values{"access_token": {token}}
	wantRefusal(t, serve(h.p, get(t, "POST", "/userinfo", form)), http.StatusUnauthorized, "invalid_token")
	wantRefusal(
		t, serve(h.p, get(t, "POST", "/userinfo", form, "DPoP", h.proof("POST", "/userinfo", ath(token)))),
		http.StatusUnauthorized, "invalid_token",
	)
	both := get(
		t, "POST", "/userinfo", form, "Authorization", "DPoP "+token, "DPoP", h.proof("POST", "/userinfo", ath(token)),
	)
	wantRefusal(t, serve(h.p, both), http.StatusBadRequest, "invalid_request")
}

func TestATokenThatIsNotBoundIsNoDPoPToken(t *testing.T) { // RFC 9449 §7.1
	h := newHolder(t, nil)
	token := body(t, h.redeem(""))["access_token"].(string)
	wantRefusal(
		t, h.userinfo("DPoP "+token, h.proof("GET", "/userinfo", ath(token))), http.StatusUnauthorized, "invalid_token",
	)
}

func TestWithoutATokenBothSchemesAreOffered(t *testing.T) { // RFC 9449 §7.2
	w := serve(idptest.Start(t, nil), get(t, "GET", "/userinfo", nil))
	if offered := strings.Join(w.Header().Values("WWW-Authenticate"), "; "); !strings.Contains(offered, "Bearer ") ||
		!strings.Contains(offered, "DPoP algs=") {
		t.Errorf("got %s", offered)
	}
}

// RFC 9449 §8: "DPoP-Nonce" must be exposed to scripts (Fetch §3.2.6)
func TestScriptsMaySendProofsAndReadNonces(t *testing.T) {
	h := newHolder(t, nil)
	r := get(
		t, "OPTIONS", "/token", nil, "Origin", "http://localhost:9090", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "dpop",
	)
	if allowed := serve(h.p, r).Header().Get("Access-Control-Allow-Headers"); !strings.EqualFold(allowed, "DPoP") {
		t.Errorf("allowed are %s", allowed)
	}
	r = get(t, "POST", "/token", url.Values{"client_id": {"spa"}}, "Origin", "http://localhost:9090")
	if exposed := serve(h.p, r).Header().Get("Access-Control-Expose-Headers"); !strings.Contains(exposed, "DPoP-Nonce") {
		t.Errorf("exposed are %s", exposed)
	}
}

// A client whose clock is wrong goes by the server's nonce.
func TestANonceHelpsAgainstASlowClock(t *testing.T) { // RFC 9449 §8
	h := newHolder(t, nil)
	slow := map[string]any{"iat": h.p.Clock.Now().Add(-time.Hour).Unix()}
	w := h.redeem(h.proof("POST", "/token", slow))
	wantRefusal(t, w, http.StatusBadRequest, "invalid_dpop_proof")
	slow["nonce"] = w.Header().Get("DPoP-Nonce")
	if w = h.redeem(h.proof("POST", "/token", slow)); w.Code != http.StatusOK {
		t.Error(w.Body)
	}
}

func TestAPlainClientCostsNoMoreForDPoP(t *testing.T) {
	p, spy := startWithSpy(t)
	b := p.Browser(t)
	b.SignIn("alice")
	code := b.Code(idptest.Request("spa"))
	spy.Reset()
	b.Tokens("spa", code)
	if got := spy.Operations(); len(got) != 1 {
		t.Errorf("a code costs %v", got)
	}
}
