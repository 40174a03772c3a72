package clients

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// SignatureAlgorithms lists the algs of signatures that can be verified.
func SignatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
}

// maxTried is how many keys with the kid of a JWS are tried. A kid should name one key (RFC 7517 §4.5); a client that
// gives a hundred large keys one kid would make each request expensive.
const maxTried = 4

// Verify checks the signature of a JWS in compact form by the client's keys, and returns its header and payload. It
// accepts an alg that is in algs and in SignatureAlgorithms. Its errors are for the developer of the client.
func (k *Keys) Verify(
	ctx context.Context, client *oidc.Client, compact string, algs []jose.SignatureAlgorithm,
) (jose.Header, []byte, error) {
	algs = slices.DeleteFunc(SignatureAlgorithms(), func(alg jose.SignatureAlgorithm) bool {
		return !slices.Contains(algs, alg)
	})
	signed, err := jose.ParseSignedCompact(compact, algs)
	if unexpected, ok := errors.AsType[*jose.ErrUnexpectedSignatureAlgorithm](err); ok {
		return jose.Header{}, nil, fmt.Errorf("its alg is %.20q, expected one of %v", unexpected.Got, algs)
	}
	if err != nil {
		return jose.Header{}, nil, fmt.Errorf("it is no signed JWT in compact form with one alg of %v", algs)
	}
	header := signed.Signatures[0].Header
	if err := oidc.CheckCrit(header); err != nil {
		return header, nil, err
	}
	keys, err := k.find(ctx, client, func(set oidc.KeySet) ([]jose.JSONWebKey, error) {
		return set.Verifying(header.Algorithm, header.KeyID)
	})
	if err != nil {
		return header, nil, err
	}
	for _, key := range keys[:min(len(keys), maxTried)] {
		if payload, err := signed.Verify(key.Key); err == nil {
			return header, payload, nil
		}
	}
	return header, nil, fmt.Errorf("its signature is not that of the client's key %q", keys[0].KeyID)
}

// EncryptIDToken encrypts a signed ID token if the client registered that (Core §10.2), else it returns the token
// unchanged.
func (k *Keys) EncryptIDToken(ctx context.Context, client *oidc.Client, signed string) (string, error) {
	alg, enc := client.IDTokenEncryptedResponseAlg, client.IDTokenEncryptedResponseEnc
	if alg == "" {
		return signed, nil
	}
	return k.encrypt(ctx, client, alg, enc, []byte(signed), true)
}

// EncryptUserinfo encrypts a userinfo answer if the client registered that, else it returns the answer unchanged.
// isJWT says that the answer is signed.
func (k *Keys) EncryptUserinfo(ctx context.Context, client *oidc.Client, answer []byte, isJWT bool) ([]byte, error) {
	alg, enc := client.UserinfoEncryptedResponseAlg, client.UserinfoEncryptedResponseEnc
	if alg == "" {
		return answer, nil
	}
	encrypted, err := k.encrypt(ctx, client, alg, enc, answer, isJWT)
	return []byte(encrypted), err
}

// encrypt makes a JWE (RFC 7516) with the client's public key for alg. An empty enc is the default of Registration §2.
// RFC 7519 §5.2: of a payload that is a JWT, cty "MUST be present in this case". An error says what is wrong with the
// client's keys.
func (k *Keys) encrypt(
	ctx context.Context, client *oidc.Client, alg, enc string, payload []byte, isJWT bool,
) (string, error) {
	key, err := k.ForEncryption(ctx, client, jose.KeyAlgorithm(alg))
	if err != nil {
		return "", oidc.InvalidRequest.Errorf("the answer cannot be encrypted to client %s: %v", client.ClientID, err)
	}
	options := &jose.EncrypterOptions{}
	if isJWT {
		options = options.WithContentType("JWT")
	}
	recipient := jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: key.Key, KeyID: key.KeyID}
	encrypter, err := jose.NewEncrypter(jose.ContentEncryption(cmp.Or(enc, oidc.DefaultEnc)), recipient, options)
	if err != nil {
		return "", fmt.Errorf("clients: encrypting to client %s: %w", client.ClientID, err)
	}
	encrypted, err := encrypter.Encrypt(payload)
	if err != nil {
		return "", fmt.Errorf("clients: encrypting to client %s: %w", client.ClientID, err)
	}
	return encrypted.CompactSerialize()
}

// ForEncryption returns the client's first key for the key management alg (RFC 7518 §4.1).
func (k *Keys) ForEncryption(ctx context.Context, client *oidc.Client, alg jose.KeyAlgorithm) (jose.JSONWebKey, error) {
	found, err := k.find(ctx, client, func(set oidc.KeySet) ([]jose.JSONWebKey, error) { return set.For(string(alg), "") })
	if err != nil {
		return jose.JSONWebKey{}, err
	}
	return found[0], nil
}

// choose takes at least one key out of a client's set, or says why it cannot.
type choose func(oidc.KeySet) ([]jose.JSONWebKey, error)

// find returns the keys of the client that choose takes.
func (k *Keys) find(ctx context.Context, client *oidc.Client, choose choose) ([]jose.JSONWebKey, error) {
	switch {
	case client.JWKS != nil:
		return choose(*client.JWKS)
	case client.JWKSURI == "":
		return nil, fmt.Errorf("client %s has neither jwks nor jwks_uri registered, "+
			"so its keys are not known", client.ClientID)
	}
	return k.remote(ctx, client.JWKSURI, choose)
}
