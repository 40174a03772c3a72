package clients

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

const (
	rsaBits = 2048 // RFC 7518 §3.3 and §4.3: "A key of size 2048 bits or larger MUST be used"
	rsaMost = 8192 // a larger key only makes the provider slow
)

// SignatureAlgorithms lists the algs of signatures that can be verified.
func SignatureAlgorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.EdDSA}
}

// Verify checks the signature of a JWS in compact form by the client's keys, and returns its header and payload. It
// accepts an alg that is in algs and in SignatureAlgorithms. Its errors are for the developer of the client.
func (k *Keys) Verify(
	ctx context.Context, client oidc.Client, compact string, algs []jose.SignatureAlgorithm,
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
	key, err := k.find(ctx, client, forSignature(header.KeyID, jose.SignatureAlgorithm(header.Algorithm)))
	if err != nil {
		return header, nil, err
	}
	payload, err := signed.Verify(key.Key)
	if err != nil {
		return header, nil, fmt.Errorf("its signature is not that of the client's key %q", key.KeyID)
	}
	return header, payload, nil
}

// EncryptIDToken encrypts a signed ID token if the client registered that (Core §10.2), else it returns the token
// unchanged.
func (k *Keys) EncryptIDToken(ctx context.Context, client oidc.Client, signed string) (string, error) {
	alg, enc := client.IDTokenEncryptedResponseAlg, client.IDTokenEncryptedResponseEnc
	if alg == "" {
		return signed, nil
	}
	return k.encrypt(ctx, client, alg, enc, []byte(signed), true)
}

// EncryptUserinfo encrypts a userinfo answer if the client registered that, else it returns the answer unchanged.
// isJWT says that the answer is signed.
func (k *Keys) EncryptUserinfo(ctx context.Context, client oidc.Client, answer []byte, isJWT bool) ([]byte, error) {
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
	ctx context.Context, client oidc.Client, alg, enc string, payload []byte, isJWT bool,
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

// ForEncryption returns the client's key for the key management alg (RFC 7518 §4.1).
func (k *Keys) ForEncryption(ctx context.Context, client oidc.Client, alg jose.KeyAlgorithm) (jose.JSONWebKey, error) {
	return k.find(ctx, client, forEncryption(alg))
}

// find returns the wanted key of the client.
func (k *Keys) find(ctx context.Context, client oidc.Client, wanted wanted) (jose.JSONWebKey, error) {
	switch {
	case client.JWKS != nil:
		return wanted.choose(client.JWKS.Keys)
	case client.JWKSURI == "":
		return jose.JSONWebKey{}, fmt.Errorf("client %s has neither jwks nor jwks_uri registered, "+
			"so its keys are not known", client.ClientID)
	}
	return k.remote(ctx, client.JWKSURI, wanted)
}

// wanted describes a key that is needed.
type wanted struct {
	use, alg string
	kid      string // empty: not named
	fits     func(key any) bool
	first    bool // if several keys fit, the first is taken
}

// forSignature describes the key that made a signature.
func forSignature(kid string, alg jose.SignatureAlgorithm) wanted {
	return wanted{use: "sig", alg: string(alg), kid: kid, fits: func(key any) bool {
		switch k := key.(type) {
		case *rsa.PublicKey:
			return (alg == jose.RS256 || alg == jose.PS256) && isSized(k)
		case *ecdsa.PublicKey:
			return alg == jose.ES256 && k.Curve == elliptic.P256()
		case ed25519.PublicKey:
			return alg == jose.EdDSA
		}
		return false
	}}
}

// forEncryption describes a key to encrypt with.
func forEncryption(alg jose.KeyAlgorithm) wanted {
	return wanted{use: "enc", alg: string(alg), first: true, fits: func(key any) bool {
		switch k := key.(type) {
		case *rsa.PublicKey:
			return strings.HasPrefix(string(alg), "RSA-OAEP") && isSized(k)
		case *ecdsa.PublicKey:
			return strings.HasPrefix(string(alg), "ECDH-ES")
		}
		return false
	}}
}

func isSized(key *rsa.PublicKey) bool { return rsaBits <= key.N.BitLen() && key.N.BitLen() <= rsaMost }

// isMet reports whether the key fits. RFC 7517 §4.2: use is "sig" or "enc"; §4.4: the key is for the algorithm alg.
func (w wanted) isMet(key jose.JSONWebKey) bool {
	return key.IsPublic() && (key.Use == "" || key.Use == w.use) && (key.Algorithm == "" || key.Algorithm == w.alg) &&
		(w.kid == "" || w.kid == key.KeyID) && w.fits(key.Key)
}

// choose returns the wanted key. Core §10.1: "If there are multiple keys in the referenced JWK Set document, a kid
// value MUST be provided in the JOSE Header." Keys that do not fit the alg do not count.
func (w wanted) choose(keys []jose.JSONWebKey) (jose.JSONWebKey, error) {
	var found []jose.JSONWebKey
	for _, key := range keys {
		if w.isMet(key) {
			found = append(found, key)
		}
	}
	switch {
	case len(found) == 0:
		named := ""
		if w.kid != "" {
			named = fmt.Sprintf(" with kid %.50q", w.kid)
		}
		return jose.JSONWebKey{}, fmt.Errorf("the client's keys hold no key for %s (use %s)%s: "+
			"check kid, use, alg and size (%d to %d bits of RSA)", w.alg, w.use, named, rsaBits, rsaMost)
	case len(found) > 1 && !w.first:
		return jose.JSONWebKey{}, fmt.Errorf(
			"the client has %d keys that could be meant: name one by kid in the header (Core section 10.1)", len(found))
	}
	return found[0], nil
}
