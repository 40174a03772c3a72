package replica

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// purpose tells the key made here from every other that is made from the same secret (RFC 5869 §3.2).
const purpose = "hush: what replicas tell each other"

// seal encrypts and recognises: AES-256-GCM with keys made by HKDF-SHA256 (RFC 5869). The first key seals, all open.
type seal []cipher.AEAD

func newSeal(secrets [][]byte) (seal, error) {
	var s seal
	for _, secret := range secrets {
		aead, err := newAEAD(secret)
		if err != nil {
			return nil, fmt.Errorf("replica: no key can be made from a cookie key: %w", err)
		}
		s = append(s, aead)
	}
	return s, nil
}

func newAEAD(secret []byte) (cipher.AEAD, error) {
	const aes256 = 32
	key, err := hkdf.Key(sha256.New, secret, nil, purpose, aes256)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

func (s seal) close(text []byte) []byte { return s[0].Seal(nil, nil, text, nil) }

// open returns false for what none of the keys sealed.
func (s seal) open(sealed []byte) (text []byte, ok bool) {
	for _, aead := range s {
		if text, err := aead.Open(nil, nil, sealed, nil); err == nil {
			return text, true
		}
	}
	return nil, false
}
