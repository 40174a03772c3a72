package main

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// fake is the least provider that satisfies the load client. A test sets one
// of its hooks to make one thing wrong, after the sign-in.
type fake struct {
	*httptest.Server
	signer   jose.Signer
	answer   func(url.Values)          // changes the redirect to the app
	redirect func(http.ResponseWriter) // replaces that redirect
	id       func(map[string]any)      // changes the claims of the ID token
	access   func(map[string]any)      // changes the claims of the access token
	fixed    bool                      // the access token is always the same
	signed   jose.Signer               // signs instead of signer

	mu       sync.Mutex
	requests map[string]url.Values // by code
}

const signedInAt = 1_700_000_000

func newFake(t *testing.T) *fake {
	f := &fake{requests: map[string]url.Values{}}
	var public jose.JSONWebKey
	f.signer, public = newSigner(t)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, map[string]any{
			"issuer": f.URL, "authorization_endpoint": f.URL + "/authorize", "token_endpoint": f.URL + "/token",
			"jwks_uri": f.URL + "/jwks", "id_token_signing_alg_values_supported": []string{"RS256", "none"},
		})
	})
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public}})
	})
	mux.HandleFunc("GET /authorize", f.authorize)
	mux.HandleFunc("GET /login", loginPage)
	mux.HandleFunc("POST /login", f.login)
	mux.HandleFunc("POST /token", f.token)
	f.Server = httptest.NewServer(mux)
	t.Cleanup(f.Close)
	return f
}

func newSigner(t *testing.T) (jose.Signer, jose.JSONWebKey) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	private := jose.JSONWebKey{Key: key, KeyID: "k1", Algorithm: "RS256", Use: "sig"}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: private},
		(&jose.SignerOptions{}).WithType("at+jwt"))
	if err != nil {
		t.Fatal(err)
	}
	return signer, private.Public()
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // the client judges what arrives
}

func (f *fake) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	who, err := r.Cookie("who")
	if err != nil {
		http.Redirect(w, r, "/login?"+r.URL.RawQuery, http.StatusSeeOther)
		return
	}
	silent := query.Get("prompt") == "none"
	if silent && f.redirect != nil {
		f.redirect(w)
		return
	}
	query.Set("who", who.Value)
	code := rand.Text()
	f.mu.Lock()
	f.requests[code] = query
	f.mu.Unlock()
	answer := url.Values{"code": {code}, "state": {query.Get("state")}, "iss": {f.URL}}
	if silent && f.answer != nil {
		f.answer(answer)
	}
	http.Redirect(w, r, query.Get("redirect_uri")+"?"+answer.Encode(), http.StatusSeeOther)
}

func loginPage(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write([]byte(`<form action="/other"><input type="hidden" name="csrf" value="wrong"></form>
		<form method="post" action="login?` + url.QueryEscape("x") + `">
		<input type="hidden" name="csrf" value="right"><input type="hidden" name="interaction" value="` +
		url.QueryEscape(r.URL.RawQuery) + `"><input name="username"><input type="password" name="password"></form>`))
}

func (f *fake) login(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("csrf") != "right" || r.FormValue("password") != r.FormValue("username") {
		http.Error(w, "refused", http.StatusForbidden)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "who", Value: r.FormValue("username")})
	query, _ := url.QueryUnescape(r.FormValue("interaction"))
	http.Redirect(w, r, "/authorize?"+query, http.StatusSeeOther)
}

func (f *fake) token(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	query := f.requests[r.FormValue("code")]
	f.mu.Unlock()
	jti, signer := rand.Text(), f.signer
	now := time.Now()
	id := map[string]any{
		"iss": f.URL, "sub": query.Get("who"), "aud": query.Get("client_id"), "nonce": query.Get("nonce"),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "auth_time": signedInAt,
	}
	access := map[string]any{
		"iss": f.URL, "sub": query.Get("who"), "aud": "api", "client_id": query.Get("client_id"),
		"iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": jti,
	}
	if query.Get("prompt") == "none" {
		change(f.id, id)
		change(f.access, access)
		if f.signed != nil {
			signer = f.signed
		}
	}
	if f.fixed {
		access["jti"], access["iat"], access["exp"] = "same", signedInAt, 4_000_000_000
	}
	writeJSON(w, map[string]any{"token_type": "Bearer", "id_token": sign(signer, id),
		"access_token": sign(signer, access)})
}

func change(hook func(map[string]any), claims map[string]any) {
	if hook != nil {
		hook(claims)
	}
}

func sign(signer jose.Signer, claims map[string]any) string {
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return err.Error() // no JWT: the client says so
	}
	return raw
}
