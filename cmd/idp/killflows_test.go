package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idptest"
)

// The most that one round acknowledges of each kind.
const (
	clientsARound    = 4
	pushesARound     = 20
	devicesARound    = 6
	assertionsARound = 20
	lastingFamilies  = 2 // their tokens are used in all rounds
)

// grace is shorter than that of the provider: within it a refresh token that was sent without an answer can be sent
// again.
const grace = 8 * time.Second

// killFlows is what was acknowledged besides sessions, codes and consents.
type killFlows struct {
	key      *ecdsa.PrivateKey // of the client robot
	families []*tokenFamily
	clients  []registeredClient

	pushed, devices, allowed, assertions once
}

// once are values that the provider accepts once: the unused ones, the used ones, and the ones whose use got no answer.
type once struct{ given, spent, unsure []string }

// sort notes what became of a use.
func (o *once) sort(thing string, err error) {
	if err == nil {
		o.spent = append(o.spent, thing)
	} else {
		o.unsure = append(o.unsure, thing)
	}
}

// tokenFamily are the refresh tokens of one grant: the last that was acknowledged.
type tokenFamily struct {
	token  string
	unsure time.Time // since when it was sent without an answer; zero: each was answered
}

// registeredClient is one that registered.
type registeredClient struct{ path, token string }

func newKillTestFlows(t *testing.T) killFlows {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return killFlows{key: key}
}

// configuration are the clients of the flows, as lines of the file.
func (r *killFlows) configuration(t *testing.T) string {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.key.Public(), KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	return "  - {client_id: offline, token_endpoint_auth_method: none, first_party: true, redirect_uris: [\"" + guestURI +
		"\"], grant_types: [authorization_code, refresh_token]}\n" +
		"  - {client_id: tv, token_endpoint_auth_method: none, first_party: true,\n" +
		"     grant_types: [\"urn:ietf:params:oauth:grant-type:device_code\"]}\n" +
		"  - {client_id: robot, token_endpoint_auth_method: private_key_jwt, grant_types: [client_credentials], jwks: " +
		string(set) + "}\n"
}

// flowWork is a part of the load, and how often it is done in one round.
type flowWork struct {
	most int
	do   func(*visitor) error
}

// flowWorkers are the load on the flows.
func (s *killTest) flowWorkers() []flowWork {
	family := &tokenFamily{}
	return []flowWork{
		{1_000_000, func(v *visitor) error { return s.refresh(v, family) }},
		{clientsARound, s.register}, {pushesARound, s.push}, {devicesARound, s.connect}, {assertionsARound, s.assert},
	}
}

// json is the answer to a form, which must have the status.
func (v *visitor) json(path string, form url.Values, status int) map[string]any {
	page := v.Post(path, form)
	if page.Status != status {
		v.attempt.Fatalf("%s gives %d %s", path, page.Status, page.Body)
	}
	return page.JSON(v.attempt)
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {"offline"}, "refresh_token": {token}}
}

// refresh replaces the family's token by the next, or begins the family.
func (s *killTest) refresh(v *visitor, family *tokenFamily) error {
	if family.token == "" {
		return s.beginFamily(v, family)
	}
	if !family.unsure.IsZero() && time.Since(family.unsure) > grace {
		*family = tokenFamily{} // the provider may take it for stolen now
		return nil
	}
	var next string
	err := v.try(func() { next = v.json("/token", refreshForm(family.token), http.StatusOK)["refresh_token"].(string) })
	switch {
	case err == nil:
		*family = tokenFamily{token: next}
		s.note("refreshes", func() {})
	case family.unsure.IsZero():
		family.unsure = time.Now()
	}
	return err
}

func (s *killTest) beginFamily(v *visitor, family *tokenFamily) error {
	err := v.try(func() {
		code := v.Code(guest("offline", "scope", "openid offline_access", "prompt", "none"))
		form := tokenForm(code)
		form.Set("client_id", "offline")
		form.Set("redirect_uri", guestURI)
		family.token = v.json("/token", form, http.StatusOK)["refresh_token"].(string)
	})
	if err == nil {
		s.note("families", func() { s.flows.families = append(s.flows.families, family) })
	}
	return err
}

// register registers a client.
func (s *killTest) register(v *visitor) error {
	var client registeredClient
	err := v.try(func() {
		page := v.do(http.MethodPost, "/register", "", `{"redirect_uris":["https://late.example/cb"]}`)
		if page.Status != http.StatusCreated {
			v.attempt.Fatalf("/register gives %d %s", page.Status, page.Body)
		}
		answer := page.JSON(v.attempt)
		client = registeredClient{"/register/" + answer["client_id"].(string), answer["registration_access_token"].(string)}
	})
	if err == nil {
		s.note("registrations", func() { s.flows.clients = append(s.flows.clients, client) })
	}
	return err
}

// do sends a document, with a token unless that is "".
func (v *visitor) do(method, path, token, document string) idptest.Page {
	r, err := http.NewRequestWithContext(v.attempt.Context(), method, v.Provider().Issuer+path,
		strings.NewReader(document))
	if err != nil {
		v.attempt.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return v.Do(r)
}

// push pushes a request of the person, and mostly uses it.
func (s *killTest) push(v *visitor) error {
	var uri string
	if err := v.try(func() { uri = v.json("/par", silent, http.StatusCreated)["request_uri"].(string) }); err != nil {
		return err
	}
	if mathrand.IntN(3) == 0 {
		s.note("pushed requests", func() { s.flows.pushed.given = append(s.flows.pushed.given, uri) })
		return nil
	}
	err := v.usePushed(uri)
	s.note("pushed requests", func() { s.flows.pushed.sort(uri, err) })
	return err
}

func pushedRequest(uri string) url.Values {
	return url.Values{"client_id": {"spa"}, "request_uri": {uri}}
}

func (v *visitor) usePushed(uri string) error {
	return v.try(func() { v.Code(pushedRequest(uri)) })
}

// connect begins with a device; mostly the person allows it, and sometimes the device asks then.
func (s *killTest) connect(v *visitor) error {
	var codes map[string]any
	if err := v.try(func() {
		codes = v.json("/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"openid"}}, http.StatusOK)
	}); err != nil {
		return err
	}
	code := codes["device_code"].(string)
	if mathrand.IntN(3) == 0 {
		s.note("devices", func() { s.flows.devices.given = append(s.flows.devices.given, code) })
		return nil
	}
	if err := v.try(func() {
		page := v.Submit(v.Get("/device?user_code="+codes["user_code"].(string)), url.Values{"decision": {"allow"}})
		if page.Status != http.StatusOK || !strings.Contains(page.Body, "device-allowed") {
			v.attempt.Fatalf("allowing a device gives %d\n%s", page.Status, page.Body)
		}
	}); err != nil {
		return err // nobody can know whether it was allowed
	}
	if mathrand.IntN(2) == 0 {
		s.note("devices", func() { s.flows.allowed.given = append(s.flows.allowed.given, code) })
		return nil
	}
	err := v.tokensOf(deviceForm(code))
	s.note("devices", func() { s.flows.allowed.sort(code, err) })
	return err
}

func deviceForm(code string) url.Values {
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"tv"},
		"device_code": {code}}
}

func (v *visitor) tokensOf(form url.Values) error {
	return v.try(func() { v.json("/token", form, http.StatusOK) })
}

// assert authenticates the client robot with an assertion.
func (s *killTest) assert(v *visitor) error {
	assertion, err := s.flows.assertion("http://" + s.addresses[0])
	if err != nil {
		return err
	}
	err = v.tokensOf(robotForm(assertion))
	s.note("assertions", func() { s.flows.assertions.sort(assertion, err) })
	return err
}

func (r *killFlows) assertion(issuer string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: r.key, KeyID: "k"}},
		nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": "robot", "sub": "robot", "aud": issuer, "jti": rand.Text(), "iat": time.Now().Unix(),
		"exp": time.Now().Add(5 * time.Minute).Unix(),
	}).Serialize()
}

func robotForm(assertion string) url.Values {
	return url.Values{
		"grant_type":            {"client_credentials"},
		"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	}
}
