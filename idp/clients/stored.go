package clients

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"slices"

	"github.com/hush-idp/hush/oidc"
)

// stored is a client as it is kept: the secret as its hash.
type stored struct {
	Client     oidc.Client `json:"client"`
	SecretHash string      `json:"secret_hash,omitempty"`
	// Over is a sum of the configured client in whose place this one is; "": there was none.
	Over string `json:"over,omitempty"`
}

func newStored(client oidc.Client, over string) stored {
	s := stored{Client: client, SecretHash: client.ClientSecret.Hash(), Over: over}
	s.Client.ClientSecret = oidc.Secret{}
	return s
}

func (s stored) client() (client oidc.Client, err error) {
	client = s.Client
	client.ClientSecret, err = oidc.SecretFromHash(s.SecretHash)
	return client, err
}

// over is the sum of the configured client with this id, "" where there is none.
func (r *Register) over(id string) string {
	i := slices.IndexFunc(r.configured, is(id))
	if i < 0 {
		return ""
	}
	text, err := json.Marshal(newStored(r.configured[i], ""))
	if err != nil {
		panic(err) // no field of a client is without JSON
	}
	sum := sha256.Sum256(text)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
