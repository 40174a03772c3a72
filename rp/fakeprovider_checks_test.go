package rp

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// The fake provider's checks of optional features: client authentication, DPoP, pushed and signed requests.

var testClientKey = jose.JSONWebKey{Key: foreignKey, KeyID: "client-1", Algorithm: "ES256"}

const testSecret = "s%crét of thirty-two bytes or more"

// authenticated checks any of the methods of Core §9.
func (p *fakeProvider) authenticated(r *http.Request) error {
	if id, encoded, ok := r.BasicAuth(); ok {
		secret, _ := url.QueryUnescape(encoded) // RFC 6749 §2.3.1
		return wrongUnless(id == "web" && (secret == "s%crét" || secret == testSecret), "the secret in the header")
	}
	if secret := r.PostFormValue("client_secret"); secret != "" {
		return wrongUnless(secret == "s%crét" || secret == testSecret, "the secret in the body")
	}
	if r.PostFormValue("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		return errors.New("no authentication")
	}
	return p.asserted(r.PostFormValue("client_assertion"))
}

func wrongUnless(good bool, what string) error {
	if good {
		return nil
	}
	return errors.New("wrong: " + what)
}

// asserted is RFC 7523 §3.
func (p *fakeProvider) asserted(raw string) error {
	claims, err := p.ofClient(raw)
	switch {
	case err != nil:
		return err
	case claims["iss"] != "web" || claims["sub"] != "web":
		return errors.New("iss and sub are not the client_id")
	}
	return nil
}

// ofClient verifies a JWT of the client: signature, aud as one string, iat and exp, unused jti.
func (p *fakeProvider) ofClient(raw string) (object, error) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.HS256})
	if err != nil {
		return nil, err
	}
	var key any = []byte(testSecret)
	if token.Headers[0].Algorithm == "ES256" {
		key = testClientKey.Public().Key
	}
	var claims object
	if err := token.Claims(key, &claims); err != nil {
		return nil, err
	}
	now, exp := float64(p.clock.Now().Unix()), number(claims["exp"])
	switch {
	case claims["aud"] != p.URL:
		return nil, fmt.Errorf("aud is %v", claims["aud"])
	case exp <= now || exp > now+300 || number(claims["iat"]) > now || number(claims["nbf"]) > now:
		return nil, errors.New("exp, iat or nbf is out of bounds")
	}
	return claims, p.once(claims["jti"])
}

func number(v any) float64 { n, _ := v.(float64); return n }

func (p *fakeProvider) once(jti any) error {
	text, _ := jti.(string)
	p.mu.Lock()
	defer p.mu.Unlock()
	if text == "" || p.jtis[text] {
		return errors.New("jti is missing or a replay")
	}
	p.jtis[text] = true
	return nil
}

// proven checks the DPoP proof, if there is one, and returns its jkt. It answers when the proof is bad, or needs a
// nonce.
func (p *fakeProvider) proven(w http.ResponseWriter, r *http.Request, token string) (string, bool) {
	raw := r.Header.Get("DPoP")
	if raw == "" {
		return "", true
	}
	jkt, nonce, err := p.proof(raw, r, token)
	if err != nil {
		writeJSON(w, http.StatusBadRequest, oidc.InvalidDPoPProof.Errorf("%v", err))
		return "", false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if nonce == p.nonce {
		return jkt, true
	}
	w.Header().Set("DPoP-Nonce", p.nonce)
	if token != "" {
		w.Header().Set("WWW-Authenticate", `DPoP error="use_dpop_nonce", error_description="again"`)
		w.WriteHeader(http.StatusUnauthorized)
		return "", false
	}
	writeJSON(w, http.StatusBadRequest, oidc.UseDPoPNonce.Errorf("again"))
	return "", false
}

func (p *fakeProvider) proof(raw string, r *http.Request, token string) (jkt, nonce string, err error) {
	parsed, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return "", "", err
	}
	header := parsed.Headers[0]
	var claims object
	if header.JSONWebKey == nil || !header.JSONWebKey.IsPublic() || parsed.Claims(header.JSONWebKey.Key, &claims) != nil {
		return "", "", errors.New("jwk or signature")
	}
	wantAth := any(nil)
	if token != "" {
		wantAth = ath(token)
	}
	if header.ExtraHeaders["typ"] != "dpop+jwt" || claims["htm"] != r.Method || claims["htu"] != p.URL+r.URL.Path ||
		number(claims["iat"]) != float64(p.clock.Now().Unix()) || claims["ath"] != wantAth {
		return "", "", fmt.Errorf("claims %v", claims)
	}
	nonce, _ = claims["nonce"].(string)
	return thumbprint(*header.JSONWebKey), nonce, p.once(claims["jti"])
}

func (p *fakeProvider) par(w http.ResponseWriter, r *http.Request) {
	if status := p.distortion().parStatus; status != 0 {
		writeJSON(w, status, oidc.InvalidRequest.Errorf("not like that"))
		return
	}
	if err := errors.Join(r.ParseForm(), p.authenticated(r)); err != nil {
		writeJSON(w, http.StatusUnauthorized, oidc.InvalidClient.Errorf("%v", err))
		return
	}
	if _, proven := p.proven(w, r, ""); !proven {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	uri := "urn:ietf:params:oauth:request_uri:" + rand.Text()
	p.pushed[uri] = r.PostForm
	writeJSON(w, http.StatusCreated, object{"request_uri": uri, "expires_in": 60})
}

// request resolves references and signed requests. The caller holds p.mu.
func (p *fakeProvider) request(query url.Values) url.Values {
	if uri := query.Get("request_uri"); uri != "" {
		pushed, ok := p.pushed[uri]
		if delete(p.pushed, uri); !ok || len(query) != 2 || query.Get("client_id") != "web" {
			p.t.Errorf("RFC 9126 §4: the browser brings client_id and a good request_uri only: %v", query)
		}
		query = pushed
	}
	if query.Get("request") == "" {
		return query
	}
	p.mu.Unlock()
	claims, err := p.ofClient(query.Get("request"))
	p.mu.Lock()
	if err != nil || query.Get("response_type") != "code" || !strings.Contains(query.Get("scope"), "openid") {
		p.t.Errorf("RFC 9101 §6: %v, outside %v", err, query)
	}
	request := url.Values{}
	for name, value := range claims {
		if text, ok := value.(string); ok {
			request.Set(name, text)
		} else {
			encoded, _ := json.Marshal(value)
			request.Set(name, string(encoded))
		}
	}
	return request
}

// addRefreshToken is RFC 6749 §6 with rotation, for offline_access. The caller does not hold p.mu.
func (p *fakeProvider) addRefreshToken(answer object, request url.Values) {
	if !slices.Contains(strings.Fields(request.Get("scope")), "offline_access") {
		return
	}
	token := rand.Text()
	if !request.Has("auth_time") {
		request.Set("auth_time", strconv.FormatInt(p.clock.Now().Unix()-5, 10))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refresh[token] = request
	answer["refresh_token"] = token
}

func (p *fakeProvider) revoke(w http.ResponseWriter, r *http.Request) {
	if err := p.authenticated(r); err != nil {
		writeJSON(w, http.StatusUnauthorized, oidc.InvalidClient.Errorf("%v", err))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.revoked = append(p.revoked, r.PostFormValue("token"))
}

func (p *fakeProvider) demandNonce(nonce string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.nonce = nonce
}
