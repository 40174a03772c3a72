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

// What one round acknowledges in each room at the most.
const (
	clientsARound    = 4
	pushesARound     = 20
	devicesARound    = 6
	assertionsARound = 20
	lastingFamilies  = 2 // whose tokens are used in all rounds
)

// grace is shorter than that of the provider: within it a refresh token that was sent without an answer can be sent again.
const grace = 8 * time.Second

// siegeRooms is what the rooms acknowledged besides sessions, codes and consents.
type siegeRooms struct {
	key      *ecdsa.PrivateKey // of the client robot
	families []*siegeFamily
	clients  []siegeClient

	pushed, devices, allowed, assertions once
}

// once are things that are good once: those that nobody used, those that were used, and those that were used without an answer.
type once struct{ given, spent, unsure []string }

// sort notes what became of a use.
func (o *once) sort(thing string, err error) {
	if err == nil {
		o.spent = append(o.spent, thing)
	} else {
		o.unsure = append(o.unsure, thing)
	}
}

// siegeFamily are the refresh tokens of one grant: the last that was acknowledged.
type siegeFamily struct {
	token  string
	unsure time.Time // since when it was sent without an answer; zero: each was answered
}

// siegeClient is one that registered.
type siegeClient struct{ path, token string }

func newSiegeRooms(t *testing.T) siegeRooms {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return siegeRooms{key: key}
}

// configuration are the clients of the rooms, as lines of the file.
func (r *siegeRooms) configuration(t *testing.T) string {
	t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: r.key.Public(), KeyID: "k"}}})
	if err != nil {
		t.Fatal(err)
	}
	return "  - {client_id: offline, token_endpoint_auth_method: none, first_party: true, redirect_uris: [\"" + guestURI + "\"], grant_types: [authorization_code, refresh_token]}\n" +
		"  - {client_id: tv, token_endpoint_auth_method: none, first_party: true, grant_types: [\"urn:ietf:params:oauth:grant-type:device_code\"]}\n" +
		"  - {client_id: robot, token_endpoint_auth_method: private_key_jwt, grant_types: [client_credentials], jwks: " + string(set) + "}\n"
}

// roomWork is a part of the load, and how often it is done in one round.
type roomWork struct {
	most int
	do   func(*visitor) error
}

// roomWorkers are the load on the rooms.
func (s *siege) roomWorkers() []roomWork {
	family := &siegeFamily{}
	return []roomWork{
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
func (s *siege) refresh(v *visitor, family *siegeFamily) error {
	if family.token == "" {
		return s.beginFamily(v, family)
	}
	if !family.unsure.IsZero() && time.Since(family.unsure) > grace {
		*family = siegeFamily{} // the provider may take it for stolen now
		return nil
	}
	var next string
	err := v.try(func() { next = v.json("/token", refreshForm(family.token), http.StatusOK)["refresh_token"].(string) })
	switch {
	case err == nil:
		*family = siegeFamily{token: next}
		s.note("refreshes", func() {})
	case family.unsure.IsZero():
		family.unsure = time.Now()
	}
	return err
}

func (s *siege) beginFamily(v *visitor, family *siegeFamily) error {
	err := v.try(func() {
		code := v.Code(guest("offline", "scope", "openid offline_access", "prompt", "none"))
		form := tokenForm(code)
		form.Set("client_id", "offline")
		form.Set("redirect_uri", guestURI)
		family.token = v.json("/token", form, http.StatusOK)["refresh_token"].(string)
	})
	if err == nil {
		s.note("families", func() { s.rooms.families = append(s.rooms.families, family) })
	}
	return err
}

// register registers a client.
func (s *siege) register(v *visitor) error {
	var client siegeClient
	err := v.try(func() {
		page := v.do(http.MethodPost, "/register", "", `{"redirect_uris":["https://late.example/cb"]}`)
		if page.Status != http.StatusCreated {
			v.attempt.Fatalf("/register gives %d %s", page.Status, page.Body)
		}
		answer := page.JSON(v.attempt)
		client = siegeClient{"/register/" + answer["client_id"].(string), answer["registration_access_token"].(string)}
	})
	if err == nil {
		s.note("registrations", func() { s.rooms.clients = append(s.rooms.clients, client) })
	}
	return err
}

// do sends a document, with a token unless that is "".
func (v *visitor) do(method, path, token, document string) idptest.Page {
	r, err := http.NewRequestWithContext(v.attempt.Context(), method, v.Provider().Issuer+path, strings.NewReader(document))
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
func (s *siege) push(v *visitor) error {
	var uri string
	if err := v.try(func() { uri = v.json("/par", silent, http.StatusCreated)["request_uri"].(string) }); err != nil {
		return err
	}
	if mathrand.IntN(3) == 0 {
		s.note("pushed requests", func() { s.rooms.pushed.given = append(s.rooms.pushed.given, uri) })
		return nil
	}
	err := v.usePushed(uri)
	s.note("pushed requests", func() { s.rooms.pushed.sort(uri, err) })
	return err
}

func pushedRequest(uri string) url.Values {
	return url.Values{"client_id": {"spa"}, "request_uri": {uri}}
}

func (v *visitor) usePushed(uri string) error {
	return v.try(func() { v.Code(pushedRequest(uri)) })
}

// connect begins with a device; mostly the person allows it, and sometimes the device asks then.
func (s *siege) connect(v *visitor) error {
	var codes map[string]any
	if err := v.try(func() {
		codes = v.json("/device_authorization", url.Values{"client_id": {"tv"}, "scope": {"openid"}}, http.StatusOK)
	}); err != nil {
		return err
	}
	code := codes["device_code"].(string)
	if mathrand.IntN(3) == 0 {
		s.note("devices", func() { s.rooms.devices.given = append(s.rooms.devices.given, code) })
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
		s.note("devices", func() { s.rooms.allowed.given = append(s.rooms.allowed.given, code) })
		return nil
	}
	err := v.tokensOf(deviceForm(code))
	s.note("devices", func() { s.rooms.allowed.sort(code, err) })
	return err
}

func deviceForm(code string) url.Values {
	return url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "client_id": {"tv"}, "device_code": {code}}
}

func (v *visitor) tokensOf(form url.Values) error {
	return v.try(func() { v.json("/token", form, http.StatusOK) })
}

// assert authenticates the client robot with an assertion.
func (s *siege) assert(v *visitor) error {
	assertion, err := s.rooms.assertion("http://" + s.addresses[0])
	if err != nil {
		return err
	}
	err = v.tokensOf(robotForm(assertion))
	s.note("assertions", func() { s.rooms.assertions.sort(assertion, err) })
	return err
}

func (r *siegeRooms) assertion(issuer string) (string, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: r.key, KeyID: "k"}}, nil)
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(map[string]any{
		"iss": "robot", "sub": "robot", "aud": issuer, "jti": rand.Text(), "iat": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix(),
	}).Serialize()
}

func robotForm(assertion string) url.Values {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {assertion},
	}
}
