package jwe

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// Keys is a *clientkeys.Keys.
type Keys interface {
	ForEncryption(ctx context.Context, client oidc.Client, alg jose.KeyAlgorithm) (jose.JSONWebKey, error)
}

// Encrypter encrypts to clients.
type Encrypter struct{ Keys Keys }

// Encrypt encrypts payload to the client by its registered alg and enc; "" for enc is the default of Registration §2. isJWT
// says that the payload is one, which the header then says too (RFC 7519 §5.2: cty "MUST be present in this case"). An error says what is wrong with the
// client's keys.
func (e Encrypter) Encrypt(ctx context.Context, client oidc.Client, alg, enc string, payload []byte, isJWT bool) (string, error) {
	key, err := e.Keys.ForEncryption(ctx, client, jose.KeyAlgorithm(alg))
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
		return "", fmt.Errorf("jwe: client %s: %w", client.ClientID, err)
	}
	encrypted, err := encrypter.Encrypt(payload)
	if err != nil {
		return "", fmt.Errorf("jwe: client %s: %w", client.ClientID, err)
	}
	return encrypted.CompactSerialize()
}

// IDToken encrypts a signed ID token if the client registered that.
func (e Encrypter) IDToken(ctx context.Context, client oidc.Client, signed string) (string, error) {
	if client.IDTokenEncryptedResponseAlg == "" {
		return signed, nil
	}
	return e.Encrypt(ctx, client, client.IDTokenEncryptedResponseAlg, client.IDTokenEncryptedResponseEnc, []byte(signed), true)
}

// Userinfo encrypts a userinfo answer, signed or not, if the client registered that.
func (e Encrypter) Userinfo(ctx context.Context, client oidc.Client, answer []byte, isJWT bool) ([]byte, error) {
	if client.UserinfoEncryptedResponseAlg == "" {
		return answer, nil
	}
	encrypted, err := e.Encrypt(ctx, client, client.UserinfoEncryptedResponseAlg, client.UserinfoEncryptedResponseEnc, answer, isJWT)
	return []byte(encrypted), err
}
