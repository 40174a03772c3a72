package device

import (
	"context"
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
	// slower is how much longer it has to wait after each slow_down: "the interval MUST be increased by 5 seconds".
	slower = 5 * time.Second
	// early is what the network may take away from the interval.
	early = time.Second
	// kept is how long codes are remembered beyond their end, so that a late device hears "expired" and not "unknown".
	kept = 5 * time.Minute
)

// What a person can decide.
const (
	Allow = "allow"
	Deny  = "deny"
)

// Pending is a device that waits for a person, or that a person has decided about.
type Pending struct {
	ID        string        `json:"grant_id"`
	ClientID  string        `json:"client_id"`
	Scope     oidc.Scope    `json:"scope,omitempty"`
	Resource  []string      `json:"resource,omitempty"`
	CodeHash  string        `json:"code_hash"` // of the device code's secret
	ExpiresAt time.Time     `json:"expires_at"`
	Interval  time.Duration `json:"interval"`
	PolledAt  time.Time     `json:"polled_at,omitzero"`
	Decision  string        `json:"decision,omitempty"` // Allow, Deny, or empty while nobody decided
	Grant     *grant.Grant  `json:"grant,omitempty"`    // what was allowed
	SpentAt   time.Time     `json:"spent_at,omitzero"`
}

// ErrUnknown is the answer about a user code that leads nowhere: mistyped, used, or expired.
var ErrUnknown = errors.New("device: no such code")

// Devices keeps the devices that wait.
type Devices struct {
	records   storage.Bucket[Pending]
	userCodes storage.Bucket[pointer]
	now       func() time.Time
	random    func() string
}

// pointer leads from a user code to its record.
type pointer struct {
	ID string `json:"grant_id"`
}

// New returns the devices in store. random gives 128 bits or more, without a dot.
func New(store storage.Store, now func() time.Time, random func() string) *Devices {
	return &Devices{
		records: storage.NewBucket[Pending]("device", store), userCodes: storage.NewBucket[pointer]("user-code", store), now: now, random: random,
	}
}

// Codes are the two that stand for one request.
type Codes struct{ Device, User string }

// Begin takes up a device's request, of which ClientID, Scope and Resource are given. The device code is the grant's id, a dot and a
// secret, like an authorization code.
func (d *Devices) Begin(ctx context.Context, p Pending) (Codes, error) {
	secret := d.random()
	p.ID, p.CodeHash = d.random(), oidc.NewSecret(secret).Hash()
	p.ExpiresAt, p.Interval = d.now().Add(Lifetime), Interval
	if err := d.records.Put(ctx, together(p.ID), p, Lifetime+kept); err != nil {
		return Codes{}, err
	}
	user, err := d.reserve(ctx, p.ID)
	return Codes{Device: p.ID + "." + secret, User: user}, err
}

// reserve finds a user code that nobody else has.
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
	return "", fmt.Errorf("%d user codes in a row were taken: too many devices wait", attempts)
}

var errTaken = errors.New("device: the user code is taken")

// together is the key of the record, beside whatever else stems from its grant.
func together(id string) string { return storage.GroupKey(id, "device") }

// Find returns the device whose user code a person typed, or ErrUnknown.
func (d *Devices) Find(ctx context.Context, typed string) (Pending, error) {
	found, err := d.userCodes.Get(ctx, normalize(typed))
	if errors.Is(err, storage.ErrNotFound) {
		return Pending{}, ErrUnknown
	}
	if err != nil {
		return Pending{}, err
	}
	p, err := d.records.Get(ctx, together(found.ID))
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return Pending{}, ErrUnknown
	case err != nil:
		return Pending{}, err
	case !d.isOpen(p):
		return Pending{}, ErrUnknown
	}
	return p, nil
}

func (d *Devices) isOpen(p Pending) bool { return p.Decision == "" && d.now().Before(p.ExpiresAt) }

// Decide notes what the person decided about the device that Find found; granted counts if it is Allow. The first decision is the
// only one: ErrUnknown tells that there was another, or that the code expired meanwhile.
func (d *Devices) Decide(ctx context.Context, found Pending, decision string, granted grant.Grant) error {
	return d.records.Update(ctx, together(found.ID), storage.KeepTTL, func(p *Pending) (*Pending, error) {
		if p == nil || !d.isOpen(*p) {
			return nil, ErrUnknown
		}
		p.Decision = decision
		if decision == Allow {
			granted.ID, granted.ClientID, granted.Scope, granted.Resource = p.ID, p.ClientID, p.Scope, p.Resource
			p.Grant = &granted
		}
		return p, nil
	})
}

// Redeem answers a device that asks whether somebody decided: with what was granted, once, or with an error of RFC 8628 §3.5.
func (d *Devices) Redeem(ctx context.Context, client oidc.Client, deviceCode string) (grant.Grant, error) {
	id, secret, _ := strings.Cut(deviceCode, ".")
	var granted grant.Grant
	var refused error
	err := d.records.Update(ctx, together(id), storage.KeepTTL, func(p *Pending) (*Pending, error) {
		if granted, refused = d.poll(p, client, secret); p == nil {
			return nil, nil
		}
		return p, nil
	})
	if err != nil {
		return grant.Grant{}, err
	}
	return granted, refused
}

// poll judges one question, and notes it in the record.
func (d *Devices) poll(p *Pending, client oidc.Client, secret string) (grant.Grant, error) {
	if p == nil || !isCode(p, secret) {
		return grant.Grant{}, oidc.InvalidGrant.Errorf("the device_code is not known: it was never issued, expired minutes ago, or the provider was restarted").Blame(oidc.CodeUnknown)
	}
	tooSoon := !p.PolledAt.IsZero() && d.now().Sub(p.PolledAt) < p.Interval-early
	switch {
	case p.ClientID != client.ClientID:
		return grant.Grant{}, oidc.InvalidGrant.Errorf("the device_code was issued to another client").Blame(oidc.CodeForeign)
	case !p.SpentAt.IsZero():
		return grant.Grant{}, oidc.InvalidGrant.Errorf("the device_code was redeemed before: it is good for one token response").Blame(oidc.CodeReplayed)
	case !d.now().Before(p.ExpiresAt):
		return grant.Grant{}, oidc.ExpiredToken.Errorf("the device_code is older than %v: begin anew at the device authorization endpoint (RFC 8628 §3.5)", Lifetime).Blame(oidc.CodeExpired)
	case p.Decision == Deny:
		return grant.Grant{}, oidc.AccessDenied.Errorf("the user did not allow the device what it asked for (RFC 8628 §3.5)")
	case p.Decision == Allow && p.Grant != nil:
		granted := *p.Grant
		p.SpentAt, p.Grant = d.now(), nil
		return granted, nil
	}
	p.PolledAt = d.now()
	if tooSoon {
		p.Interval += slower
		return grant.Grant{}, oidc.SlowDown.Errorf("the device asks too often: wait %v between two requests from now on (RFC 8628 §3.5)", p.Interval)
	}
	return grant.Grant{}, oidc.AuthorizationPending.Errorf("nobody has decided yet: ask again in %v (RFC 8628 §3.5)", p.Interval)
}

func isCode(p *Pending, secret string) bool {
	hash, err := oidc.SecretFromHash(p.CodeHash)
	return err == nil && hash.Matches(secret)
}
