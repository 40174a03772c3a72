package grant

import (
	"context"
	"errors"
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

// CodeLifetime is how long a code may be redeemed, unless development mode says otherwise. RFC 6749 §4.1.2: "A maximum
// authorization code lifetime of 10 minutes is RECOMMENDED"; FAPI 2.0 allows one minute, enough for a redirect.
const CodeLifetime = 60 * time.Second

// marksBucket is the name of the bucket of marks and their ID. storage/bolt stores records of this name in memory.
const marksBucket = "code"

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

// Errors of Redeem.
var (
	ErrUnknown  = errors.New("grant: no such code")
	ErrReplayed = errors.New("grant: the code was redeemed before")

	errLate = errors.New("grant: the code is too old for a mark")
)

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

// Issue returns a code that stands for the grant for g.CodeLifetime. It fills in ID, GrantedAt and ExpiresAt. It
// returns the error of the store if the ID of the marks cannot be read, and an error if there is no secret.
func (g *Grants) Issue(ctx context.Context, grant Grant) (code string, err error) {
	grant.ID, grant.GrantedAt, grant.ExpiresAt = g.Random(), g.Now(), g.Now().Add(g.CodeLifetime)
	return g.codes.seal(ctx, grant)
}

// Redeem spends the code and returns its grant; the caller then judges whether the client may get it, and whether the
// code has expired. For an unknown code it returns ErrUnknown. For a spent code it revokes the grant and returns
// ErrReplayed. It returns the error of the store if the ID of the marks cannot be read, or the mark cannot be written.
//
// tokenLifetime is the maximum lifetime of the access tokens. The mark is stored until the code and the access tokens
// have expired, and for ClockError more, for replicas whose clock is behind. If the code expired more than ClockError
// ago, Redeem makes no mark. Otherwise a person that finds the code in a log could revoke the grant by two requests.
func (g *Grants) Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (Grant, error) {
	granted, err := g.codes.open(ctx, code)
	if err != nil {
		return Grant{}, err
	}
	spent, mark := Mark{}, Mark{Spent: int64((tokenLifetime + time.Second - 1) / time.Second)}
	left := granted.ExpiresAt.Sub(g.Now()) + ClockError
	err = g.Marks.Update(ctx, markKey(granted.ID), max(tokenLifetime+ClockError, left), func(old *Mark) (*Mark, error) {
		switch {
		case old != nil:
			spent = *old
			return nil, ErrReplayed
		case left <= 0:
			return nil, errLate
		}
		return &mark, nil
	})
	switch {
	case errors.Is(err, ErrReplayed):
		return g.replayed(ctx, granted.ID, spent)
	case err != nil && !errors.Is(err, errLate):
		return Grant{}, err
	}
	return granted, nil
}

func markKey(id string) string { return storage.GroupKey(marksGroup, id) }

// replayed revokes the grant with this id, the mark of whose code is spent. Its tokens live as long as the mark says.
// The first use may get them a moment later, or by a clock that is ahead: so the revocation lasts longer by ClockError.
// It returns ErrReplayed, or the error of the revocation.
func (g *Grants) replayed(ctx context.Context, id string, spent Mark) (Grant, error) {
	if err := g.end(ctx, id, g.Now().Add(time.Duration(spent.Spent)*time.Second+ClockError)); err != nil {
		return Grant{}, err
	}
	return Grant{ID: id}, ErrReplayed
}
