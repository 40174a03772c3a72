// Package peer has the parts that a library or a small provider does not bring itself: command line, signing key, a
// discovery document, and sessions by cookie after a sign-in form that accepts every password.
package peer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"html"
	"log"
	"math/big"
	"net/http"
	"os"
	"sync"
	"time"
)

// The one client, and the kid of the one key.
const (
	ClientID    = "app"
	RedirectURI = "http://127.0.0.1:9999/cb"
	KeyID       = "k1"
)

// Peer is a provider's configuration and its sessions.
type Peer struct {
	Listen    string // host:port
	Issuer    string
	JWT       bool // access tokens are signed too
	Key       crypto.Signer
	Algorithm string   // RS256 or ES256, by the type of Key
	sessions  sync.Map // Session by cookie value
}

// Session is one signed-in browser.
type Session struct {
	Subject  string
	AuthTime time.Time
}

// Parse reads the command line. It ends the program if that is wrong.
func Parse() *Peer {
	p := &Peer{}
	file := flag.String("key", "", "file with a private key in PKCS #8: RSA, or EC of the curve P-256")
	flag.StringVar(&p.Listen, "listen", "127.0.0.1:18100", "address; the issuer is http:// and this")
	flag.BoolVar(&p.JWT, "jwt", false, "access tokens are JWTs")
	flag.Parse()
	p.Issuer = "http://" + p.Listen
	if err := p.readKey(*file); err != nil {
		log.Fatal(err)
	}
	return p
}

func (p *Peer) readKey(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return fmt.Errorf("--key: %s is no PEM file", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("--key: %w", err)
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		p.Key, p.Algorithm = key, "RS256"
	case *ecdsa.PrivateKey:
		p.Key, p.Algorithm = key, "ES256"
	default:
		return errors.New("--key: neither an RSA nor an EC key")
	}
	return nil
}

// Serve adds sign-in, keys and discovery to mux and serves until the process ends.
func (p *Peer) Serve(mux *http.ServeMux) {
	mux.HandleFunc("POST /login", p.SignIn)
	mux.HandleFunc("GET /jwks", constant(p.keySet()))
	mux.HandleFunc("GET /.well-known/openid-configuration", constant(p.Metadata()))
	log.Fatal(http.ListenAndServe(p.Listen, mux))
}

func constant(value any) http.HandlerFunc {
	text, err := json.Marshal(value)
	if err != nil {
		log.Fatal(err)
	}
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(text)
	}
}

// Metadata is the discovery document of a provider that brings none.
func (p *Peer) Metadata() map[string]any {
	return map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token",
		"jwks_uri": p.Issuer + "/jwks", "response_types_supported": []string{"code"},
		"subject_types_supported": []string{"public"}, "code_challenge_methods_supported": []string{"S256"},
		"id_token_signing_alg_values_supported": []string{p.Algorithm},
	}
}

func (p *Peer) keySet() any {
	key := map[string]string{"kid": KeyID, "use": "sig", "alg": p.Algorithm}
	encode := base64.RawURLEncoding.EncodeToString
	switch public := p.Key.Public().(type) {
	case *rsa.PublicKey:
		key["kty"], key["n"], key["e"] = "RSA", encode(public.N.Bytes()), encode(big.NewInt(int64(public.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := public.Bytes() // a byte for the form, then x and y of 32 bytes each
		if err != nil {
			log.Fatal(err)
		}
		key["kty"], key["crv"], key["x"], key["y"] = "EC", "P-256", encode(point[1:33]), encode(point[33:])
	}
	return map[string]any{"keys": []any{key}}
}

// SignedIn calls next with the session of the browser. Without one it shows the sign-in form, or calls next with an
// empty session if the request has prompt=none.
func (p *Peer) SignedIn(next func(http.ResponseWriter, *http.Request, Session)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var session Session
		if cookie, err := r.Cookie("session"); err == nil {
			if found, ok := p.sessions.Load(cookie.Value); ok {
				session = found.(Session)
			}
		}
		if session.Subject == "" && r.URL.Query().Get("prompt") != "none" {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprintf(w, form, html.EscapeString(r.URL.RawQuery))
			return
		}
		next(w, r, session)
	}
}

const form = `<!doctype html><title>Sign in</title>
<form method="post" action="/login?%s"><input name="username"><input type="password" name="password">
<button>Sign in</button></form>`

// SignIn makes a session for the user of the form and goes on with the authorization request.
func (p *Peer) SignIn(w http.ResponseWriter, r *http.Request) {
	cookie := &http.Cookie{
		Name: "session", Value: rand.Text(), Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
	session := Session{Subject: r.PostFormValue("username"), AuthTime: time.Now().Truncate(time.Second)}
	p.sessions.Store(cookie.Value, session)
	http.SetCookie(w, cookie)
	http.Redirect(w, r, "/authorize?"+r.URL.RawQuery, http.StatusSeeOther)
}
