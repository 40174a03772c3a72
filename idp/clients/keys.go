package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// Keys finds keys of clients. Its methods may be called by many goroutines at once.
type Keys struct {
	get func(ctx context.Context, address string) ([]byte, error)
	why func(error) string
	now func() time.Time

	mutex sync.Mutex
	sets  map[string]*set // by jwks_uri; at most maxSets
}

// NewKeys returns keys that are fetched with get (fetch.Client.Get). why is the part of an error of get that a client
// may know (fetch.Why).
func NewKeys(
	get func(ctx context.Context, address string) ([]byte, error),
	why func(error) string,
	now func() time.Time,
) *Keys {
	return &Keys{get: get, why: why, now: now, sets: map[string]*set{}}
}

// SignatureAlgorithms lists the algs of signatures that can be verified.
func SignatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
}

// Verify checks the signature of a JWS in compact form by the client's keys, and returns its header and payload. It
// accepts the algs that SignatureAlgorithms lists too. Its errors are for the developer of the client.
func (k *Keys) Verify(
	ctx context.Context,
	client oidc.Client,
	compact string,
	algs []jose.SignatureAlgorithm,
) (jose.Header, []byte, error) {
	algs = slices.DeleteFunc(
		slices.Clone(algs),
		func(alg jose.SignatureAlgorithm) bool { return !slices.Contains(SignatureAlgorithms(), alg) },
	)
	signed, err := jose.ParseSignedCompact(compact, algs)
	if err != nil {
		return jose.Header{}, nil, errNotSigned(err, algs)
	}
	header := signed.Signatures[0].Header
	key, err := k.find(ctx, client, fits(header.KeyID, jose.SignatureAlgorithm(header.Algorithm)))
	if err != nil {
		return header, nil, err
	}
	payload, err := signed.Verify(key.Key)
	if err != nil {
		return header, nil, fmt.Errorf("its signature is not that of the client's key %q", key.KeyID)
	}
	return header, payload, nil
}

func errNotSigned(err error, algs []jose.SignatureAlgorithm) error {
	names := make([]string, len(algs))
	for i, alg := range algs {
		names[i] = string(alg)
	}
	var unexpected *jose.ErrUnexpectedSignatureAlgorithm
	if errors.As(err, &unexpected) {
		return fmt.Errorf("its alg is %.20q, expected one of %s", unexpected.Got, strings.Join(names, ", "))
	}
	return fmt.Errorf("it is no signed JWT in compact form with one alg of %s", strings.Join(names, ", "))
}

// ForEncryption returns the client's key for the key management alg (RFC 7518 §4.1).
func (k *Keys) ForEncryption(ctx context.Context, client oidc.Client, alg jose.KeyAlgorithm) (jose.JSONWebKey, error) {
	return k.find(ctx, client, canEncrypt(alg))
}

// find returns the wanted key of the client.
func (k *Keys) find(ctx context.Context, client oidc.Client, wanted wanted) (jose.JSONWebKey, error) {
	switch {
	case client.JWKS != nil:
		return wanted.choose(client.JWKS.Keys)
	case client.JWKSURI == "":
		return jose.JSONWebKey{}, fmt.Errorf(
			"client %s has neither jwks nor jwks_uri registered, so its keys are not known",
			client.ClientID,
		)
	}
	return k.remote(ctx, client.JWKSURI, wanted)
}
