package limit

import (
	"hash/maphash"
	"net/netip"
	"time"
)

// Passwords limits wrong passwords. A nil *Passwords limits nothing.
type Passwords struct {
	seed      maphash.Seed
	byAddress *Table[netip.Prefix]
	byBoth    *Table[nameAndAddress]
	byUser    *Table[uint64]
}

// nameAndAddress holds the hash of a name, because a typed name may be long.
type nameAndAddress struct {
	name uint64
	from netip.Prefix
}

// NewPasswords returns the limits that c describes; now is their clock.
func NewPasswords(c PasswordConfig, now func() time.Time) (p *Passwords, err error) {
	p = &Passwords{seed: maphash.MakeSeed()}
	if p.byAddress, err = NewTable[netip.Prefix](c.PerAddress, "wrong passwords from this address", now); err != nil {
		return nil, err
	}
	if p.byBoth, err = NewTable[nameAndAddress](c.PerUserAndAddress, "wrong passwords for this user", now); err != nil {
		return nil, err
	}
	p.byUser, err = NewTable[uint64](c.PerUser, "wrong passwords for this user", now)
	return p, err
}

// Attempt counts a password as wrong before the comparison, so that concurrent attempts cannot all pass before the
// first has failed. user is one text for all names of the user, see users.Directory.Key. After the comparison the
// caller calls settle with its result; err means that nothing was compared, which counts nothing. NIST SP 800-63B
// §5.2.2: "When the subscriber successfully authenticates, the verifier SHOULD disregard any previous failed attempts
// for that user from the same IP address." If Attempt returns an *Exceeded, the caller must not compare the password.
// https://pages.nist.gov/800-63-3/sp800-63b.html#throttle
func (p *Passwords) Attempt(from netip.Prefix, user string) (settle func(right bool, err error), err error) {
	if p == nil {
		return func(bool, error) {}, nil
	}
	name := maphash.String(p.seed, user)
	both := nameAndAddress{name, from}
	giveBackAddress, err := p.byAddress.Take(from)
	if err != nil {
		return nil, err
	}
	giveBackBoth, err := p.byBoth.Take(both)
	if err != nil {
		giveBackAddress()
		return nil, err
	}
	giveBackUser, err := p.byUser.Take(name)
	if err != nil {
		giveBackAddress()
		giveBackBoth()
		return nil, err
	}
	return func(right bool, err error) {
		if right || err != nil {
			giveBackAddress()
			giveBackUser()
			giveBackBoth()
		}
		if right {
			p.byBoth.Forget(both)
		}
	}, nil
}
