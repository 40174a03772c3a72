// Package device is the device flow (RFC 8628), for a television or a command line without a browser. The device shows
// a short code, a person types it at /device in a browser, and meanwhile the device polls the token endpoint.
//
//	device:  POST /device_authorization ──► Begin ──► device_code, user_code       ┌──► authorization_pending, slow_down
//	person:  GET  /device?user_code=…   ──► Find ──► the page that asks            │    access_denied, expired_token
//	         POST /device               ──► Decide                                 │
//	device:  POST /token                ──► Redeem ────────────────────────────────┴──► grant.Grant
//
// The store contains neither code. The key of the record is the grant's id, and the record has a hash of the device
// code. A second record, under the hash of the user code, has the grant's id. A user code has 34 bits and lives ten
// minutes. Package idp/limit counts wrong user codes, and the page checks a code only after the sign-in.
//
// Where teaching ends: the tokens belong to no session of the browser, so signing out there does not end them.
package device

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// How long the codes last, and how often a device may ask (RFC 8628 §3.2 and §3.5).
const (
	Lifetime = 10 * time.Minute
	Interval = 5 * time.Second
	// slower extends the interval after each slow_down: "the interval MUST be increased by 5 seconds"
	slower = 5 * time.Second
	// early is how much too early a request may arrive, because the network may have delayed the request before
	early = time.Second
	// retention is the extra lifetime of an expired code: a late device gets expired_token instead of invalid_grant
	retention = 5 * time.Minute
)

// The decisions of a person.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Pending is the request of a device: it waits for a person, or a person has decided.
type Pending struct {
	ID        string        `json:"grant_id"`
	Issuer    string        `json:"issuer"`
	ClientID  string        `json:"client_id"`
	Scope     oidc.Scope    `json:"scope,omitempty"`
	Resource  []string      `json:"resource,omitempty"`
	CodeHash  string        `json:"code_hash"` // of the device code's secret
	ExpiresAt time.Time     `json:"expires_at"`
	Interval  time.Duration `json:"interval"`
	PolledAt  time.Time     `json:"polled_at,omitzero"`
	Decision  string        `json:"decision,omitempty"` // Allow, Deny, or empty before the decision
	Grant     *grant.Grant  `json:"grant,omitempty"`    // set by Allow, until it is redeemed
	SpentAt   time.Time     `json:"spent_at,omitzero"`
}

// ErrUnknown is the error for a user code that is mistyped, used, expired, or of another issuer.
var ErrUnknown = errors.New("device: no such code")

// Devices stores the requests of devices at one issuer.
type Devices struct {
	issuer    string
	records   storage.Bucket[Pending]
	userCodes storage.Bucket[pointer]
	now       func() time.Time
	random    func() string
}

// pointer is the record of a user code.
type pointer struct {
	ID string `json:"grant_id"`
}

// New returns the requests at issuer in store. The issuers of one process share the store, and each finds its own
// requests only. random returns 128 bits or more, without a dot.
func New(issuer string, store storage.Store, now func() time.Time, random func() string) *Devices {
	return &Devices{
		issuer:    issuer,
		records:   storage.NewBucket[Pending]("device", store),
		userCodes: storage.NewBucket[pointer]("user-code", store), now: now, random: random,
	}
}

// Codes are the device code and the user code of one request.
type Codes struct{ Device, User string }

// Begin stores a request and returns its codes. The caller sets ClientID, Scope and Resource. The device code is the id
// of the future grant, a dot and a secret, like an authorization code.
func (d *Devices) Begin(ctx context.Context, p Pending) (Codes, error) {
	secret := d.random()
	p.ID, p.Issuer, p.CodeHash = d.random(), d.issuer, oidc.NewSecret(secret).Hash()
	p.ExpiresAt, p.Interval = d.now().Add(Lifetime), Interval
	if err := d.records.Put(ctx, groupKey(p.ID), p, Lifetime+retention); err != nil {
		return Codes{}, err
	}
	userCode, err := d.reserve(ctx, p.ID)
	return Codes{Device: p.ID + "." + secret, User: userCode}, err
}

var errTaken = errors.New("device: the user code is taken")

// reserve finds an unused user code.
func (d *Devices) reserve(ctx context.Context, id string) (string, error) {
	const attempts = 8
	for range attempts {
		code := newUserCode(d.random)
		err := d.userCodes.Update(ctx, normalize(code), Lifetime, func(old *pointer) (*pointer, error) {
			if old != nil {
				return nil, errTaken
			}
			return &pointer{ID: id}, nil
		})
		if !errors.Is(err, errTaken) {
			return code, err
		}
	}
	return "", fmt.Errorf("%d user codes in a row were in use: too many devices wait", attempts)
}

// groupKey is the key of the record, in the group of all records of its grant.
func groupKey(id string) string { return storage.GroupKey(id, "device") }

// Find returns the undecided request with the typed user code, or ErrUnknown.
func (d *Devices) Find(ctx context.Context, typed string) (Pending, error) {
	found, err := d.userCodes.Get(ctx, normalize(typed))
	if errors.Is(err, storage.ErrNotFound) {
		return Pending{}, ErrUnknown
	}
	if err != nil {
		return Pending{}, err
	}
	p, err := d.records.Get(ctx, groupKey(found.ID))
	if errors.Is(err, storage.ErrNotFound) || err == nil && (p.Issuer != d.issuer || !d.isOpen(p)) {
		return Pending{}, ErrUnknown
	}
	return p, err
}

func (d *Devices) isOpen(p Pending) bool { return p.Decision == "" && d.now().Before(p.ExpiresAt) }

// Decide stores the decision about a request that Find returned, and with Allow the grant. The first decision is final:
// ErrUnknown means that there was another one, or that the code expired meanwhile.
func (d *Devices) Decide(ctx context.Context, found Pending, decision string, granted grant.Grant) error {
	return d.records.Update(ctx, groupKey(found.ID), storage.KeepTTL, func(p *Pending) (*Pending, error) {
		if p == nil || !d.isOpen(*p) {
			return nil, ErrUnknown
		}
		p.Decision = decision
		if decision == Allow {
			granted.ID, granted.ClientID, granted.Scope, granted.Resource = p.ID, p.ClientID, p.Scope, p.Resource
			granted.GrantedAt = d.now()
			p.Grant = &granted
		}
		return p, nil
	})
}

// Redeem answers a polling device: with the grant, once, or with an error of RFC 8628 §3.5.
func (d *Devices) Redeem(ctx context.Context, client *oidc.Client, deviceCode string) (grant.Grant, error) {
	id, secret, _ := strings.Cut(deviceCode, ".")
	var granted grant.Grant
	var refused error
	err := d.records.Update(ctx, groupKey(id), storage.KeepTTL, func(p *Pending) (*Pending, error) {
		granted, refused = d.poll(p, client, secret)
		return p, nil
	})
	return granted, cmp.Or(err, refused)
}

// poll judges one token request, and records it in p.
func (d *Devices) poll(p *Pending, client *oidc.Client, secret string) (none grant.Grant, err error) {
	if p == nil || p.Issuer != d.issuer || !isCode(p, secret) {
		return none, oidc.InvalidGrant.Errorf("the device_code is not known: this issuer never gave it, it expired " +
			"minutes ago, or the provider was restarted").Blame(oidc.CodeUnknown)
	}
	tooSoon := !p.PolledAt.IsZero() && d.now().Sub(p.PolledAt).Abs() < p.Interval-early
	switch {
	case p.ClientID != client.ClientID:
		return none, oidc.InvalidGrant.Errorf("the device_code was issued to another client").Blame(oidc.CodeForeign)
	case !p.SpentAt.IsZero():
		return none, oidc.InvalidGrant.Errorf("the device_code was redeemed before: it is good for one token response").
			Blame(oidc.CodeReplayed)
	case !d.now().Before(p.ExpiresAt):
		return none, oidc.ExpiredToken.Errorf("the device_code is older than %v: begin anew at the device "+
			"authorization endpoint (RFC 8628 §3.5)", Lifetime).Blame(oidc.CodeExpired)
	case p.Decision == Deny:
		return none, oidc.AccessDenied.Errorf("the user did not allow the device what it asked for (RFC 8628 §3.5)")
	case p.Decision == Allow && p.Grant != nil:
		granted := *p.Grant
		p.SpentAt, p.Grant = d.now(), nil
		return granted, nil
	}
	p.PolledAt = d.now()
	if tooSoon {
		p.Interval += slower
		return none, oidc.SlowDown.Errorf(
			"the device asks too often: wait %v between two requests from now on (RFC 8628 §3.5)", p.Interval)
	}
	return none, oidc.AuthorizationPending.Errorf(
		"the user has not decided yet: ask again in %v (RFC 8628 §3.5)", p.Interval)
}

func isCode(p *Pending, secret string) bool {
	hash, err := oidc.SecretFromHash(p.CodeHash)
	return err == nil && hash.Matches(secret)
}

// letters is the character set of RFC 8628 §6.1: no vowels, so no words, and no letters that look alike.
const letters = "BCDFGHJKLMNPQRSTVWXZ"

// codeLetters is the length of a code: there are 20^8 codes.
const codeLetters = 8

// newUserCode makes a code such as WDJB-MJHT from random.
func newUserCode(random func() string) string {
	hash := sha256.Sum256([]byte(random()))
	number := binary.BigEndian.Uint64(hash[:])
	code := make([]byte, codeLetters)
	for i := range code {
		code[i] = letters[number%uint64(len(letters))]
		number /= uint64(len(letters))
	}
	return formatted(string(code))
}

// normalize reads a typed code. RFC 8628 §6.1: the server should ignore characters outside the character set, "such as
// by stripping dashes and other punctuation", and case.
func normalize(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// formatted is the code with a dash in its middle.
func formatted(typed string) string {
	code := normalize(typed)
	if len(code) != codeLetters {
		return typed
	}
	return code[:codeLetters/2] + "-" + code[codeLetters/2:]
}
