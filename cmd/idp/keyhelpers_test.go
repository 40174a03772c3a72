package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// kid is the key that signs now.
func kid(t *testing.T, address string) string {
	t.Helper()
	return kids(t, address)[0]
}

// kids are the published keys.
func kids(t *testing.T, address string) []string {
	t.Helper()
	published, err := tryKids(t.Context(), address)
	if err != nil || len(published) == 0 {
		t.Fatalf("%s publishes no keys: %v", address, err)
	}
	return published
}

func tryKids(ctx context.Context, address string) ([]string, error) {
	set, err := keySet(ctx, address)
	var published []string
	for _, key := range set.Keys {
		published = append(published, key.KeyID)
	}
	return published, err
}

// keySet fetches what the jwks_uri publishes.
func keySet(ctx context.Context, address string) (set jose.JSONWebKeySet, err error) {
	err = exchange(ctx, http.MethodGet, "http://"+address+"/jwks", nil, &set)
	return set, err
}

// tryRotate presses the button of the console.
func tryRotate(ctx context.Context, address string) error {
	var token struct{ CSRF string }
	if err := exchange(ctx, http.MethodGet, "http://"+address+"/console/token", nil, &token); err != nil {
		return err
	}
	return exchange(ctx, http.MethodPost, "http://"+address+"/console/keys", http.Header{"X-Hush-Csrf": {token.CSRF}}, nil)
}

// exchange makes a request and reads JSON from its answer, unless into is nil.
func exchange(ctx context.Context, method, target string, header http.Header, into any) error {
	limited, cancel := context.WithTimeout(ctx, hung)
	defer cancel()
	r, err := http.NewRequestWithContext(limited, method, target, nil)
	if err != nil {
		return err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var body json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return fmt.Errorf("%s breaks off: %w", target, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s gave %s: %s", target, response.Status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// verify checks a token as a relying party does that has these keys.
func verify(token string, set jose.JSONWebKeySet, issuer string) (kid string, err error) {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		return "", err
	}
	kid = parsed.Headers[0].KeyID
	var claims jwt.Claims
	if err := parsed.Claims(set, &claims); err != nil {
		return kid, fmt.Errorf("RFC 7517 §5 the signature of %s: %w", kid, err)
	}
	return kid, claims.ValidateWithLeeway(jwt.Expected{Issuer: issuer, Subject: "alice", Time: time.Now()}, time.Minute)
}
