package rp

import (
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage/storagetest"
)

// object is a JSON object under construction.
type object = map[string]any

// distortions are faults of the fake provider; the zero value has none.
type distortions struct {
	metadata    func(object)               // changes the discovery document
	idToken     func(object)               // changes the ID Token's claims
	accessToken func(object)               // changes the access token's claims
	token       func(object)               // changes the token response
	userinfo    func(object)               // changes the userinfo response
	signIDToken func(claims []byte) string // replaces the ID Token's signature
	fail        http.HandlerFunc           // answers instead of the token endpoint
	jwksStatus  int                        // answers instead of the keys

	userinfoJWT func(claims []byte) string // answers userinfo as a JWT
	tokenType   string                     // instead of what the proof asks for
	ignorePKCE  bool                       // redeems codes with any verifier
	noIDToken   bool                       // at a refresh
	parStatus   int                        // answers instead of the pushed request
}

// fakeProvider is an OpenID provider whose answers can be distorted. It checks the client's secret and verifier.
type fakeProvider struct {
	*httptest.Server
	t     *testing.T
	clock *storagetest.Clock
	sub   string

	mu       sync.Mutex
	distort  distortions
	keys     []signingKey // the first signs
	codes    map[string]url.Values
	pushed   map[string]url.Values // by request_uri
	refresh  map[string]url.Values // the requests whose tokens can be refreshed
	revoked  []string
	jtis     map[string]bool // of assertions and proofs
	nonce    string          // demanded of DPoP proofs
	requests map[string]int  // by path
	hosts    []string        // the Host headers seen
}

type signingKey struct {
	kid string
	alg jose.SignatureAlgorithm
	key crypto.Signer
}

var testECKey, testRSAKey = mustKey(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)),
	mustKey(rsa.GenerateKey(rand.Reader, 2048))

func mustKey[K crypto.Signer](key K, err error) K {
	if err != nil {
		panic(err)
	}
	return key
}

func newProviderForTest(t *testing.T, clock *storagetest.Clock) *fakeProvider {
	t.Helper()
	p := &fakeProvider{
		t: t, clock: clock, sub: "alice",
		keys:  []signingKey{{"ec-1", jose.ES256, testECKey}},
		codes: map[string]url.Values{}, pushed: map[string]url.Values{}, refresh: map[string]url.Values{},
		jtis:     map[string]bool{},
		requests: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", p.jwks)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.userinfo)
	mux.HandleFunc("GET /refuses", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	mux.HandleFunc("GET /empty", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/elsewhere", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/userinfo", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/endless", func(w http.ResponseWriter, r *http.Request) {
		_,
			_ = w.Write(make([]byte, 2*maxResponse))
	})
	mux.HandleFunc("/par/nothing", answerWith(http.StatusCreated, `{}`))
	mux.HandleFunc("/par/seven", answerWith(http.StatusCreated, `{"request_uri":7}`))
	mux.HandleFunc("POST /par", p.par)
	mux.HandleFunc("POST /revoke", p.revoke)
	p.Server = httptest.NewServer(p.count(mux))
	t.Cleanup(p.Close)
	return p
}

func (p *fakeProvider) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		p.requests[r.URL.Path]++
		p.hosts = append(p.hosts, r.Host)
		p.mu.Unlock()
		next.ServeHTTP(w, r)
	})
}

func (p *fakeProvider) requestsTo(path string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests[path]
}

// misbehave replaces the distortions.
func (p *fakeProvider) misbehave(d distortions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.distort = d
}

func (p *fakeProvider) distortion() distortions {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.distort
}

func changed(o object, change func(object)) object {
	if change != nil {
		change(o)
	}
	return o
}

func (p *fakeProvider) discovery(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, changed(object{
		"issuer":                                         p.URL,
		"authorization_endpoint":                         p.URL + "/authorize",
		"token_endpoint":                                 p.URL + "/token",
		"userinfo_endpoint":                              p.URL + "/userinfo",
		"jwks_uri":                                       p.URL + "/jwks",
		"end_session_endpoint":                           p.URL + "/logout",
		"pushed_authorization_request_endpoint":          p.URL + "/par",
		"revocation_endpoint":                            p.URL + "/revoke",
		"check_session_iframe":                           p.URL + "/check-session",
		"id_token_signing_alg_values_supported":          []string{"ES256", "RS256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": true,
	}, p.distortion().metadata))
}

func (p *fakeProvider) jwks(w http.ResponseWriter, r *http.Request) {
	if status := p.distortion().jwksStatus; status != 0 {
		w.WriteHeader(status)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	set := []any{object{"kty": "never heard of", "kid": "odd"}}
	for _, k := range p.keys {
		set = append(set, jose.JSONWebKey{Key: k.key.Public(), KeyID: k.kid, Algorithm: string(k.alg), Use: "sig"})
	}
	writeJSON(w, http.StatusOK, object{"keys": set})
}

// answer acts as authorization endpoint and user: it takes the authorization request and returns the parameters of the
// good answer.
func (p *fakeProvider) answer(location string) url.Values {
	p.t.Helper()
	u, err := url.Parse(location)
	if err != nil || u.Path != "/authorize" {
		p.t.Fatalf("the browser was sent to %q, expected the authorization endpoint (%v)", location, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	request := p.request(u.Query())
	code := rand.Text()
	p.codes[code] = request
	return url.Values{"code": {code}, "state": {request.Get("state")}, "iss": {p.URL}}
}

func (p *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	d := p.distortion()
	if d.fail != nil {
		d.fail(w, r)
		return
	}
	if err := p.authenticated(r); err != nil {
		writeJSON(w, http.StatusUnauthorized, oidc.InvalidClient.Errorf("%v", err))
		return
	}
	jkt, proven := p.proven(w, r, "")
	if !proven {
		return
	}
	request, ok := p.redeem(r)
	if !ok {
		writeJSON(w, http.StatusBadRequest,
			oidc.InvalidGrant.Errorf("code, redirect_uri, code_verifier or refresh_token is wrong"))
		return
	}
	access := p.sign("at+jwt", p.accessClaims(func(o object) {
		if jkt != "" {
			o["cnf"] = object{"jkt": jkt}
		}
		changed(o, d.accessToken)
	}))
	answer := object{
		"token_type": cmp.Or(d.tokenType, map[bool]string{true: "DPoP", false: "Bearer"}[jkt != ""]), "access_token": access,
		"expires_in": 90, "scope": request.Get("scope"),
		"id_token": p.idToken(request, access),
	}
	p.addRefreshToken(answer, request)
	if d.noIDToken && r.PostFormValue("grant_type") == "refresh_token" {
		delete(answer, "id_token")
	}
	writeJSON(w, http.StatusOK, changed(answer, d.token))
}

func (p *fakeProvider) redeem(r *http.Request) (url.Values, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.PostFormValue("grant_type") == "refresh_token" {
		request, ok := p.refresh[r.PostFormValue("refresh_token")]
		delete(p.refresh, r.PostFormValue("refresh_token"))
		return request, ok
	}
	request, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	challenge := oauth2.S256ChallengeFromVerifier(r.PostFormValue("code_verifier"))
	if p.distort.ignorePKCE {
		return request, ok
	}
	return request, ok && request.Get("code_challenge") == challenge && request.Get("code_challenge_method") == "S256" &&
		request.Get("redirect_uri") == r.PostFormValue("redirect_uri")
}

func (p *fakeProvider) idToken(request url.Values, access string) string {
	d, now := p.distortion(), p.clock.Now().Unix()
	hash := sha256.Sum256([]byte(access))
	authTime := now - 5
	if first, err := strconv.ParseInt(request.Get("auth_time"), 10, 64); err == nil { // of a refresh
		authTime = first
	}
	claims := changed(object{
		"iss": p.URL, "sub": p.sub, "aud": "web", "iat": now, "exp": now + 90, "auth_time": authTime,
		"nonce": request.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	}, d.idToken)
	if d.signIDToken == nil {
		return p.sign("JWT", claims)
	}
	payload, _ := json.Marshal(claims)
	return d.signIDToken(payload)
}

func (p *fakeProvider) accessClaims(change func(object)) object {
	now := p.clock.Now().Unix()
	return changed(object{
		"iss": p.URL, "sub": p.sub, "aud": "urn:api", "client_id": "web", "jti": rand.Text(),
		"iat": now, "exp": now + 90, "scope": "openid api.read",
	}, change)
}

func (p *fakeProvider) sign(typ string, claims object) string {
	p.mu.Lock()
	k := p.keys[0]
	p.mu.Unlock()
	payload, _ := json.Marshal(claims)
	return signJWT(p.t, k.alg, k.key, object{"typ": typ, "kid": k.kid}, payload)
}

// rotate makes another key sign; the old ones stay published.
func (p *fakeProvider) rotate(k signingKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = append([]signingKey{k}, p.keys...)
}

func (p *fakeProvider) withdrawAllFor(k signingKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.keys = []signingKey{k}
}

func signJWT(t *testing.T, alg jose.SignatureAlgorithm, key any, header object, payload []byte) string {
	t.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// unsigned is a JWT of alg none.
func unsigned(header object, payload []byte) string {
	header = maps.Clone(header)
	header["alg"] = "none"
	head, _ := json.Marshal(header)
	return base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(payload) + "."
}

func (p *fakeProvider) userinfo(w http.ResponseWriter, r *http.Request) {
	d := p.distortion()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if _, proven := p.proven(w, r, token); !proven || (scheme == "DPoP") != (r.Header.Get("DPoP") != "") {
		return
	}
	claims := object{"sub": p.sub, "name": "Alice Adams"}
	if d.userinfoJWT != nil { // Core §5.3.2
		claims["iss"], claims["aud"] = p.URL, "web"
	}
	claims = changed(claims, d.userinfo)
	if d.userinfoJWT == nil {
		writeJSON(w, http.StatusOK, claims)
		return
	}
	payload, _ := json.Marshal(claims)
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, d.userinfoJWT(payload))
}
