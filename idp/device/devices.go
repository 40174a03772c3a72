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
	// slower extends the interval after each slow_down: "the interval MUST be increased by 5 seconds".
	slower = 5 * time.Second
	// early is how much the network may shorten the interval.
	early = time.Second
	// retention keeps an expired code, so that a late device gets expired_token instead of invalid_grant.
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

// ErrUnknown is the error for a user code that is mistyped, used, or expired.
var ErrUnknown = errors.New("device: no such code")

// Devices stores the requests of devices.
type Devices struct {
	records   storage.Bucket[Pending]
	userCodes storage.Bucket[pointer]
	now       func() time.Time
	random    func() string
}

// pointer is the record of a user code.
type pointer struct {
	ID string `json:"grant_id"`
}

// New returns the requests in store. random returns 128 bits or more, without a dot.
func New(store storage.Store, now func() time.Time, random func() string) *Devices {
	return &Devices{
		records:   storage.NewBucket[Pending]("device", store),
		userCodes: storage.NewBucket[pointer]("user-code", store), now: now, random: random,
	}
}

// Codes are the device code and the user code of one request.
type Codes struct{ Device, User string }

// Begin stores a request, of which the caller sets ClientID, Scope and Resource. The device code is the id of the
// future grant, a dot and a secret, like an authorization code.
func (d *Devices) Begin(ctx context.Context, p Pending) (Codes, error) {
	secret := d.random()
	p.ID, p.CodeHash = d.random(), oidc.NewSecret(secret).Hash()
	p.ExpiresAt, p.Interval = d.now().Add(Lifetime), Interval
	if err := d.records.Put(ctx, groupKey(p.ID), p, Lifetime+retention); err != nil {
		return Codes{}, err
	}
	user, err := d.reserve(ctx, p.ID)
	return Codes{Device: p.ID + "." + secret, User: user}, err
}

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

var errTaken = errors.New("device: the user code is taken")

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
	if errors.Is(err, storage.ErrNotFound) || err == nil && !d.isOpen(p) {
		return Pending{}, ErrUnknown
	}
	return p, err
}

func (d *Devices) isOpen(p Pending) bool { return p.Decision == "" && d.now().Before(p.ExpiresAt) }

// Decide stores the decision about a request that Find returned; granted counts if it is Allow. The first decision is
// final: ErrUnknown means that there was another one, or that the code expired meanwhile.
func (d *Devices) Decide(ctx context.Context, found Pending, decision string, granted grant.Grant) error {
	return d.records.Update(ctx, groupKey(found.ID), storage.KeepTTL, func(p *Pending) (*Pending, error) {
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

// Redeem answers a polling device: with the grant, once, or with an error of RFC 8628 §3.5.
func (d *Devices) Redeem(ctx context.Context, client oidc.Client, deviceCode string) (grant.Grant, error) {
	id, secret, _ := strings.Cut(deviceCode, ".")
	var granted grant.Grant
	var refused error
	err := d.records.Update(ctx, groupKey(id), storage.KeepTTL, func(p *Pending) (*Pending, error) {
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

// poll judges one token request, and notes it in the record.
func (d *Devices) poll(p *Pending, client oidc.Client, secret string) (grant.Grant, error) {
	if p == nil || !isCode(p, secret) {
		return grant.Grant{},
			oidc.InvalidGrant.Errorf("the device_code is not known: it was never issued, expired minutes ago, " +
				"or the provider was restarted").Blame(oidc.CodeUnknown)
	}
	tooSoon := !p.PolledAt.IsZero() && d.now().Sub(p.PolledAt) < p.Interval-early
	switch {
	case p.ClientID != client.ClientID:
		return grant.Grant{}, oidc.InvalidGrant.Errorf("the device_code was issued to another client").Blame(oidc.CodeForeign)
	case !p.SpentAt.IsZero():
		return grant.Grant{},
			oidc.InvalidGrant.Errorf("the device_code was redeemed before: it is good for one token response").
				Blame(oidc.CodeReplayed)
	case !d.now().Before(p.ExpiresAt):
		return grant.Grant{}, oidc.ExpiredToken.Errorf("the device_code is older than %v: begin anew at the device "+
			"authorization endpoint (RFC 8628 §3.5)", Lifetime).Blame(oidc.CodeExpired)
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
		return grant.Grant{}, oidc.SlowDown.Errorf(
			"the device asks too often: wait %v between two requests from now on (RFC 8628 §3.5)", p.Interval)
	}
	return grant.Grant{}, oidc.AuthorizationPending.Errorf("nobody has decided yet: ask again in %v (RFC 8628 §3.5)",
		p.Interval)
}

func isCode(p *Pending, secret string) bool {
	hash, err := oidc.SecretFromHash(p.CodeHash)
	return err == nil && hash.Matches(secret)
}
