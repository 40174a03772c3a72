package oidc

import "slices"

// What can be encrypted to a client: the key management (RFC 7518 §4.1) and the encryption of the content (§5.1).
var (
	encryptionAlgs = []string{"RSA-OAEP-256", "RSA-OAEP", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW"}
	encryptionEncs = []string{"A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"}
)

// EncryptionAlgs lists the values of id_token_encrypted_response_alg and userinfo_encrypted_response_alg.
func EncryptionAlgs() []string { return slices.Clone(encryptionAlgs) }

// EncryptionEncs lists the values of id_token_encrypted_response_enc and userinfo_encrypted_response_enc.
func EncryptionEncs() []string { return slices.Clone(encryptionEncs) }
