package console

import (
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keyAnswer is a published key. Signs is true if the key signs now. Another key signs from SignsAt on, or only verifies
// earlier signatures until RetireAt. Keys that are not in the store have no times.
type keyAnswer struct {
	KeyID    string          `json:"kid"`
	Alg      string          `json:"alg"`
	Signs    bool            `json:"signs"`
	SignsAt  time.Time       `json:"signs_at,omitzero"`
	RetireAt time.Time       `json:"retire_at,omitzero"`
	JWK      jose.JSONWebKey `json:"jwk"`
}

// keyList is the answer of GET /console/keys.
type keyList struct {
	Keys []keyAnswer `json:"keys"`
}

// keys is GET /console/keys.
func (e *Endpoint) keys(_ http.ResponseWriter, r *http.Request) (any, error) {
	published, err := e.Keys.List(r.Context())
	if err != nil {
		return nil, err
	}
	answers := make([]keyAnswer, len(published))
	for i, key := range published {
		answers[i] = keyAnswer{key.JWK.KeyID, key.JWK.Algorithm, key.Signs, key.SignsAt, key.RetireAt, key.JWK}
	}
	return keyList{answers}, nil
}

// rotateKeys is POST /console/keys.
func (e *Endpoint) rotateKeys(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := e.Keys.Rotate(r.Context()); err != nil {
		return nil, err
	}
	return e.keys(w, r)
}
