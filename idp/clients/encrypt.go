package clients

import (
	"cmp"
	"context"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// EncryptIDToken encrypts a signed ID token if the client registered that (Core §10.2), else it returns the token as it
// is.
func (k *Keys) EncryptIDToken(ctx context.Context, client oidc.Client, signed string) (string, error) {
	if client.IDTokenEncryptedResponseAlg == "" {
		return signed, nil
	}
	alg, enc := client.IDTokenEncryptedResponseAlg, client.IDTokenEncryptedResponseEnc
	return k.encrypt(ctx, client, alg, enc, []byte(signed), true)
}

// EncryptUserinfo encrypts a userinfo answer if the client registered that, else it returns the answer as it is.
// isJWT says that the answer is signed.
func (k *Keys) EncryptUserinfo(ctx context.Context, client oidc.Client, answer []byte, isJWT bool) ([]byte, error) {
	if client.UserinfoEncryptedResponseAlg == "" {
		return answer, nil
	}
	alg, enc := client.UserinfoEncryptedResponseAlg, client.UserinfoEncryptedResponseEnc
	encrypted, err := k.encrypt(ctx, client, alg, enc, answer, isJWT)
	return []byte(encrypted), err
}

// encrypt makes a JWE (RFC 7516) by the client's public key for alg. An empty enc is the default of Registration §2.
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
