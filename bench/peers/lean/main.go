// Command lean is the least provider that renews tokens correctly: it checks session, client, redirect_uri and PKCE, a
// code works once and for a minute, and the standard library signs the tokens. It is the unit of the comparison, and
// no product: it has one client, no rules about other parameters, no log and no store.
package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/hush-idp/hush/bench/peers/peer"
)

const (
	codeLifetime  = time.Minute
	tokenLifetime = 3600 // seconds
)

type provider struct {
	*peer.Peer
	header string // of each token, encoded
	mu     sync.Mutex
	grants map[string]grant // by code
}

type grant struct {
	session          peer.Session
	nonce, challenge string
	expires          time.Time
}

func main() {
	p := &provider{Peer: peer.Parse(), grants: map[string]grant{}}
	p.header = encode(fmt.Appendf(nil, `{"alg":%q,"typ":"JWT","kid":%q}`, p.Algorithm, peer.KeyID))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", p.SignedIn(p.authorize))
	mux.HandleFunc("POST /token", p.token)
	p.Serve(mux)
}

func (p *provider) authorize(w http.ResponseWriter, r *http.Request, session peer.Session) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || query.Get("client_id") != peer.ClientID || query.Get("redirect_uri") != peer.RedirectURI {
		http.Error(w, "unknown client_id or redirect_uri", http.StatusBadRequest)
		return
	}
	answer := "?state=" + url.QueryEscape(query.Get("state")) + "&iss=" + url.QueryEscape(p.Issuer)
	challenge := query.Get("code_challenge")
	switch {
	case query.Get("response_type") != "code", query.Get("code_challenge_method") != "S256", len(challenge) != 43:
		answer += "&error=invalid_request"
	case session.Subject == "":
		answer += "&error=login_required"
	default:
		answer += "&code=" + p.newCode(grant{session, query.Get("nonce"), challenge, time.Now().Add(codeLifetime)})
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Location", peer.RedirectURI+answer)
	w.WriteHeader(http.StatusSeeOther)
}

func (p *provider) newCode(g grant) string {
	code := rand.Text()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.grants[code] = g
	return code
}

func (p *provider) spend(code string) grant {
	p.mu.Lock()
	defer p.mu.Unlock()
	g := p.grants[code]
	delete(p.grants, code)
	return g
}

func (p *provider) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	if err := r.ParseForm(); err != nil || r.PostForm.Get("grant_type") != "authorization_code" ||
		r.PostForm.Get("client_id") != peer.ClientID {
		http.Error(w, `{"error":"invalid_request"}`, http.StatusBadRequest)
		return
	}
	g := p.spend(r.PostForm.Get("code"))
	verifier := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
	if g.challenge != encode(verifier[:]) || r.PostForm.Get("redirect_uri") != peer.RedirectURI ||
		time.Now().After(g.expires) {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(p.answer(g))
}

// answer is a token response (RFC 6749 §5.1, Core §3.1.3.3).
type answer struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
	IDToken     string `json:"id_token"`
}

type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
	Expires  int64  `json:"exp"`
	IssuedAt int64  `json:"iat"`
	AuthTime int64  `json:"auth_time,omitempty"`
	Nonce    string `json:"nonce,omitempty"`
	JWTID    string `json:"jti,omitempty"`
}

func (p *provider) answer(g grant) answer {
	now, access := time.Now().Unix(), rand.Text()
	both := claims{
		Issuer: p.Issuer, Subject: g.session.Subject, Audience: peer.ClientID, IssuedAt: now, Expires: now + tokenLifetime,
	}
	id := both
	id.AuthTime, id.Nonce = g.session.AuthTime.Unix(), g.nonce
	if p.JWT {
		both.JWTID = access
		access = p.sign(both)
	}
	return answer{access, "Bearer", tokenLifetime, p.sign(id)}
}

// sign makes a JWS in compact serialization (RFC 7515 §3.1).
func (p *provider) sign(c claims) string {
	payload, _ := json.Marshal(c) // strings and numbers cannot fail
	input := p.header + "." + encode(payload)
	hash := sha256.Sum256([]byte(input))
	signature := make([]byte, 64)
	switch key := p.Key.(type) {
	case *rsa.PrivateKey:
		signature, _ = rsa.SignPKCS1v15(nil, key, crypto.SHA256, hash[:]) // the client rejects an empty one
	case *ecdsa.PrivateKey:
		if r, s, err := ecdsa.Sign(rand.Reader, key, hash[:]); err == nil { // RFC 7518 §3.4: r and s, 32 bytes each
			r.FillBytes(signature[:32])
			s.FillBytes(signature[32:])
		}
	}
	return input + "." + encode(signature)
}

func encode(bytes []byte) string { return base64.RawURLEncoding.EncodeToString(bytes) }
