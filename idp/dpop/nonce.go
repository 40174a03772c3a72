package dpop

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"
)

// window is how long one nonce is current. The nonce is accepted for one more window.
const window = 2 * time.Minute

// noncePurpose separates the key derived here from other keys of the same secret (RFC 5869 §3.2).
const noncePurpose = "hush: nonces for DPoP"

// Nonces makes and accepts the nonces of the server. A nonce is the number of a window of time and a MAC of the number.
// So nonces are not stored, and all replicas with the same secret agree. RFC 9449 §8: a nonce "is opaque to the
// client", and "unpredictable".
type Nonces struct {
	keys [][]byte // the first makes nonces, all accept them
	now  func() time.Time
}

// NewNonces returns the nonces of these secrets: the first makes nonces, all accept them.
func NewNonces(secrets [][]byte, now func() time.Time) (Nonces, error) {
	n := Nonces{now: now}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, noncePurpose, sha256.Size)
		if err != nil {
			return Nonces{}, fmt.Errorf("dpop: deriving the key of nonces: %w", err)
		}
		n.keys = append(n.keys, key)
	}
	return n, nil
}

// Current returns the nonce to give to clients now.
func (n Nonces) Current() string {
	span := n.span()
	return base64.RawURLEncoding.EncodeToString(append(span, n.mac(n.keys[0], span)...))
}

// Accepts says whether the nonce was made with one of the secrets, in this window or the one before.
func (n Nonces) Accepts(nonce string) bool {
	const spanBytes = 8
	raw, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(raw) != spanBytes+sha256.Size/2 {
		return false
	}
	span := raw[:spanBytes]
	age := binary.BigEndian.Uint64(n.span()) - binary.BigEndian.Uint64(span)
	if age > 1 {
		return false
	}
	for _, key := range n.keys {
		if hmac.Equal(raw[spanBytes:], n.mac(key, span)) {
			return true
		}
	}
	return false
}

func (n Nonces) span() []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(n.now().Unix()/int64(window/time.Second)))
}

func (n Nonces) mac(key, span []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(span)
	return mac.Sum(nil)[:sha256.Size/2]
}
