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

// window is how long a nonce is the one that is handed out; it is taken for as long again.
const window = 2 * time.Minute

// noncePurpose tells the key made here from every other that is made from the same secret (RFC 5869 §3.2).
const noncePurpose = "hush: nonces for DPoP"

// Nonces are the server's. A nonce is the number of a span of time and a MAC of that, so that nobody remembers any, and all
// replicas with the same secret agree. RFC 9449 §8: it "is opaque to the client", and "unpredictable".
type Nonces struct {
	keys [][]byte // the first makes, all recognise
	now  func() time.Time
}

// NewNonces returns the nonces of these secrets: the first makes them, all recognise.
func NewNonces(secrets [][]byte, now func() time.Time) (Nonces, error) {
	n := Nonces{now: now}
	for _, secret := range secrets {
		key, err := hkdf.Key(sha256.New, secret, nil, noncePurpose, sha256.Size)
		if err != nil {
			return Nonces{}, fmt.Errorf("dpop: no key can be made from the secret: %w", err)
		}
		n.keys = append(n.keys, key)
	}
	return n, nil
}

// Current is the nonce to hand out.
func (n Nonces) Current() string {
	span := n.span()
	return base64.RawURLEncoding.EncodeToString(append(span, n.mac(n.keys[0], span)...))
}

// Accepts tells whether the nonce was made here, in this window or the one before.
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
