package keys

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// sealPurpose separates this derived key from other keys derived from the same secret (RFC 5869 §3.2).
const sealPurpose = "hush: private halves of signing keys"

// errWrongSecret is the error when no secret opens a sealed key.
var errWrongSecret = errors.New("none of cookie_keys opens it: it was sealed with another one, or its bytes changed. " +
	"Compare cookie_keys (without them: the file PATH.secret beside the store) with those of the provider that wrote " +
	"it, to the letter; add an old key behind the first, and rotate the signing keys, which seals them with the first")

// Seal encrypts private halves for the store: AES-256-GCM with a key derived from a secret by HKDF-SHA256 (RFC 5869).
type Seal struct {
	secrets []cipher.AEAD // the first encrypts, all decrypt
}

// NewSeal returns the seal of these secrets, each of 32 bytes or more: the first encrypts, all decrypt.
func NewSeal(secrets [][]byte) (Seal, error) { return NewSealFor(sealPurpose, secrets) }

// NewSealFor returns a seal for another purpose than signing keys. Seals of different purposes do not open each other's
// texts.
func NewSealFor(purpose string, secrets [][]byte) (Seal, error) {
	if len(secrets) == 0 {
		return Seal{}, errors.New("keys: no secret is configured to encrypt the signing keys with: set cookie_keys")
	}
	var s Seal
	for _, secret := range secrets {
		made, err := cipherOf(secret, purpose)
		if err != nil {
			return Seal{}, fmt.Errorf("keys: no key can be made from the secret: %w", err)
		}
		s.secrets = append(s.secrets, made)
	}
	return s, nil
}

func cipherOf(secret []byte, purpose string) (cipher.AEAD, error) {
	const aes256 = 32
	if len(secret) < aes256 {
		return nil, fmt.Errorf("it has %d bytes, and needs %d or more", len(secret), aes256)
	}
	derived, err := hkdf.Key(sha256.New, secret, nil, purpose, aes256)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Close encrypts text. label names the record that the text belongs to: with another label it does not open.
func (s Seal) Close(text []byte, label string) []byte {
	return s.secrets[0].Seal(nil, nil, text, []byte(label))
}

// Open decrypts the result of Close with the same label.
func (s Seal) Open(sealed []byte, label string) ([]byte, error) {
	for _, secret := range s.secrets {
		if text, err := secret.Open(nil, nil, sealed, []byte(label)); err == nil {
			return text, nil
		}
	}
	return nil, errWrongSecret
}
