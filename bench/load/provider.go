package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// timeout bounds one HTTP exchange. It is generous: it finds what hangs, it
// judges no speed.
const timeout = 30 * time.Second

// maxBody bounds what is read of one answer, in bytes.
const maxBody = 1 << 20

// provider is what discovery told (OpenID Connect Discovery 1.0 §3).
type provider struct {
	Issuer                           string   `json:"issuer"`
	AuthorizationEndpoint            string   `json:"authorization_endpoint"`
	TokenEndpoint                    string   `json:"token_endpoint"`
	JWKSURI                          string   `json:"jwks_uri"`
	IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported"`

	keys jose.JSONWebKeySet
}

// discover reads the metadata and the keys of issuer. The keys are read once:
// a provider that rotates them during a run makes errors of kind "signature".
func discover(ctx context.Context, client *http.Client, issuer string) (*provider, error) {
	var p provider
	if err := getJSON(ctx, client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &p); err != nil {
		return nil, err
	}
	if p.Issuer != issuer { // Discovery §4.3: identical, byte for byte
		return nil, fmt.Errorf("the metadata name issuer %q, --issuer is %q; give the provider's own spelling", p.Issuer, issuer)
	}
	return &p, getJSON(ctx, client, p.JWKSURI, &p.keys)
}

func getJSON(ctx context.Context, client *http.Client, address string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("no answer; does the provider run? %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s, expected 200", address, resp.Status)
	}
	return json.NewDecoder(http.MaxBytesReader(nil, resp.Body, maxBody)).Decode(into)
}

// algorithms are the signature algorithms that the provider may use.
func (p *provider) algorithms() []jose.SignatureAlgorithm {
	var algs []jose.SignatureAlgorithm
	for _, alg := range p.IDTokenSigningAlgValuesSupported {
		if alg != "none" { // Core §2: never for a token that came through the browser's code
			algs = append(algs, jose.SignatureAlgorithm(alg))
		}
	}
	return algs
}
