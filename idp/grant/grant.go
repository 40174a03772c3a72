package grant

import (
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Grants and records are written as MessagePack, by methods that go generate writes.
//
//go:generate go tool msgp -io=false -tests=false
//msgp:tag msg,json
//msgp:timezone utc
//msgp:shim oidc.Scope as:string using:oidc.Scope.String/oidc.ParseScope
//msgp:ignore Grants

// Grant is the result of one authorization: the contents of the tokens, and the conditions under which the client gets
// them.
type Grant struct {
	ID            string     `json:"grant_id"`
	Issuer        string     `json:"issuer,omitempty"` // where it was granted; empty in records of older versions
	ClientID      string     `json:"client_id,omitempty"`
	RedirectURI   string     `json:"redirect_uri,omitempty"`
	CodeChallenge string     `json:"code_challenge,omitempty"` // S256
	Nonce         string     `json:"nonce,omitempty"`
	Scope         oidc.Scope `json:"scope,omitempty" msg:"scope"`
	Sub           string     `json:"sub,omitempty"`
	SID           string     `json:"sid,omitempty"`
	AuthTime      time.Time  `json:"auth_time,omitzero"`
	ACR           string     `json:"acr,omitempty"`
	AMR           []string   `json:"amr,omitempty"`
	GrantedAt     time.Time  `json:"granted_at,omitzero"`
	ExpiresAt     time.Time  `json:"expires_at,omitzero"` // the end of the code, not of the grant

	Resource []string            `json:"resource,omitempty"` // the APIs that access tokens may be for (RFC 8707)
	Claims   *oidc.ClaimsRequest `json:"claims,omitempty"`   // Core §5.5
	DPoPJKT  string              `json:"dpop_jkt,omitempty"` // the key that the code is bound to (RFC 9449 §10)
}

// Mark is the record of a spent code.
//
// A second use of a spent code must be refused, and should revoke the tokens of the first (RFC 6749 §4.1.2, §10.5). So
// the mark is stored until the code and the last access token of the code have expired: five minutes by default. Under
// load most records are marks, so a mark is short: it has no ID, because the grant's ID is its key, and a lifetime
// instead of a date.
type Mark struct {
	Spent int64 `json:"spent"` // how many seconds the access tokens of the code live
}

// Grants issues, redeems and revokes.
type Grants struct {
	Marks    storage.Bucket[Mark]         // by grant id: that its code is spent
	Revoked  storage.Bucket[time.Time]    // when a grant, or one of its access tokens (by jti), was revoked
	Families storage.Bucket[Family]       // by grant id: its refresh tokens
	Index    storage.Bucket[[]indexEntry] // by sub: which grants with refresh tokens there are
	// TakenBack has, by sub and then by client_id, the time when the user took the grants of the client back.
	TakenBack    storage.Bucket[map[string]time.Time]
	CodeLifetime time.Duration
	Grace        time.Duration // how long a replaced refresh token still gives its successor
	Now          func() time.Time
	Random       func() string // 128 bits or more, without a dot

	codes codes
}

// New returns the grants in store; c configures their refresh tokens. The first of the secrets encrypts codes, all
// decrypt them. Without secrets no code can be issued or redeemed.
func New(
	c Config, codeLifetime time.Duration, store storage.Store, secrets [][]byte, now func() time.Time,
	random func() string,
) *Grants {
	return &Grants{
		Marks:        storage.NewBucket[Mark](marksBucket, store),
		Revoked:      storage.NewBucket[time.Time]("revoked", store),
		Families:     storage.NewBucket[Family]("refresh", store),
		Index:        storage.NewBucket[[]indexEntry]("holding", store),
		TakenBack:    storage.NewBucket[map[string]time.Time]("taken-back", store),
		CodeLifetime: codeLifetime, Grace: *c.WithDefaults().Grace, Now: now, Random: random,
		codes: newCodes(store, secrets, now, random),
	}
}
