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
	return map[string]any{"keys": answers}, nil
}

// rotateKeys is POST /console/keys.
func (e *Endpoint) rotateKeys(w http.ResponseWriter, r *http.Request) (any, error) {
	if err := e.Keys.Rotate(r.Context()); err != nil {
		return nil, err
	}
	return e.keys(w, r)
}

// userAnswer is a user without the password.
type userAnswer struct {
	Sub      string         `json:"sub"`
	Username string         `json:"username"`
	Name     string         `json:"name"`
	Email    string         `json:"email,omitempty"`
	Claims   map[string]any `json:"claims"`
}

// users is GET /console/users.
func (e *Endpoint) users(http.ResponseWriter, *http.Request) (any, error) {
	all := e.Users.All()
	answers := make([]userAnswer, len(all))
	for i, user := range all {
		answers[i] = userAnswer{user.Sub, user.Username, user.Name(), user.Email(), user.Claims}
	}
	return map[string]any{"users": answers}, nil
}
