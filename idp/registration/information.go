package registration

import (
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/oidc"
)

// Information is the answer about a client (RFC 7591 §3.2.1, RFC 7592 §3): all its metadata as registered, the defaults too, and
// what it needs to come back.
type Information struct {
	oidc.Client
	// ClientSecret is there when it was just made; the provider keeps its hash only.
	ClientSecret            string `json:"client_secret,omitempty"`
	ClientSecretExpiresAt   *int64 `json:"client_secret_expires_at,omitempty"` // 0: never; there if a client_secret is
	ClientIDIssuedAt        int64  `json:"client_id_issued_at"`                // seconds since 1970
	RegistrationAccessToken string `json:"registration_access_token"`
	RegistrationClientURI   string `json:"registration_client_uri"`
}

// information is the answer about the entry to who has the token. secret is "" unless it was just made or shown.
func (e *Endpoint) information(client oidc.Client, entry clients.Entry, secret, token string) Information {
	i := Information{
		Client: client, ClientSecret: secret, ClientIDIssuedAt: entry.IssuedAt.Unix(),
		RegistrationAccessToken: token, RegistrationClientURI: e.Address + "/" + client.ClientID,
	}
	i.Client.ClientSecret = oidc.Secret{}
	if secret != "" {
		i.ClientSecretExpiresAt = new(int64)
	}
	return i
}
