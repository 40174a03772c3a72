package users

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"golang.org/x/text/unicode/norm"
)

// User is a person who can sign in.
type User struct {
	// Sub is the sub claim: "A locally unique and never reassigned identifier" (Core §2). Empty: the Username.
	Sub      string `yaml:"sub"`
	Username string `yaml:"username"`
	// Password is plain text, for development on this machine only. PasswordHash is bcrypt ($2b$…) or argon2id
	// ($argon2id$…). Each user has one of the two.
	Password     string `yaml:"password"`
	PasswordHash string `yaml:"password_hash"`
	// Claims are the claims about the user, by the names of Core §5.1.
	Claims map[string]any `yaml:"claims"`
}

// Name is the name claim, or else the Username.
func (u User) Name() string {
	if name, ok := u.Claims["name"].(string); ok && name != "" {
		return name
	}
	return u.Username
}

// Email is the email claim, or empty.
func (u User) Email() string {
	email, _ := u.Claims["email"].(string)
	return email
}

// Directory holds the users. Change replaces them; requests that began before may still see the users before.
type Directory struct {
	// Known points to the subs of all users, which must not be changed. The user of an older record may have been removed
	// since.
	Known atomic.Pointer[map[string]bool]

	people atomic.Pointer[people]
	first  []User     // those of New
	turn   sync.Mutex // for one change at a time
}

// people are the users at one time. They do not change.
type people struct {
	users   []User
	own     []kind // of the user at the same index, with the user's own comparison
	compare comparisons
	bySub   map[string]int
	byName  map[string]int // by username, in canonical form
	byEmail map[string]int // by email, in canonical form: used only if no username matches
}

// New returns a directory of users. All subs and all usernames must be different, and all hashes valid.
func New(users []User) (*Directory, error) {
	d := &Directory{first: users}
	return d, d.Reset()
}

// Configure replaces the users of New. Users that were added since stay, unless the next users have one of the same
// name or sub. The conditions are those of New.
func (d *Directory) Configure(next []User) error {
	return d.Change(func(all []User) ([]User, error) {
		changed := slices.Clone(next)
		for _, user := range all {
			if !hasLike(d.first, user) && !hasLike(next, user) {
				changed = append(changed, user)
			}
		}
		d.first = next
		return changed, nil
	})
}

// hasLike tells whether the list has a user of the same name or sub.
func hasLike(list []User, user User) bool {
	return slices.ContainsFunc(list, func(other User) bool {
		return other.Username == user.Username || cmp.Or(other.Sub, other.Username) == cmp.Or(user.Sub, user.Username)
	})
}

// Reset brings the users of New or Configure back.
func (d *Directory) Reset() error {
	return d.Change(func([]User) ([]User, error) { return d.first, nil })
}

// Change replaces the users by the result of change, which gets the users before and must not change them. An error of
// change is returned, and nothing changes. The conditions are those of New; Check reports what breaks them.
func (d *Directory) Change(change func([]User) ([]User, error)) error {
	d.turn.Lock()
	defer d.turn.Unlock()
	var before []User
	if p := d.people.Load(); p != nil {
		before = p.users
	}
	users, err := change(before)
	if err != nil {
		return err
	}
	p, known := &people{bySub: map[string]int{}, byName: map[string]int{}, byEmail: map[string]int{}}, map[string]bool{}
	p.compare.add(kind{compare: plain("")})
	for _, user := range users {
		if err := p.add(user); err != nil {
			return err
		}
		known[p.users[len(p.users)-1].Sub] = true
	}
	p.compare.limit(runtime.GOMAXPROCS(0))
	d.people.Store(p)
	d.Known.Store(&known)
	return nil
}

func (p *people) add(user User) error {
	if user.Sub == "" {
		user.Sub = user.Username
	}
	own, err := user.comparison()
	if err != nil {
		return fmt.Errorf("user %q: %w", user.Username, err)
	}
	p.compare.add(own)
	i := len(p.users)
	p.users, p.own = append(p.users, user), append(p.own, own)
	p.bySub[user.Sub] = i
	if email := canonical(user.Email()); email != "" {
		p.byEmail[email] = i
	}
	p.byName[canonical(user.Username)] = i
	return nil
}

// All returns the users in the order of the configuration. The caller must not change the list.
func (d *Directory) All() []User { return d.people.Load().users }

// BySub returns the user with this sub claim.
func (d *Directory) BySub(sub string) (User, bool) {
	p := d.people.Load()
	i, ok := p.bySub[sub]
	return p.at(i, ok)
}

// BySubs returns the known users with these sub claims, in that order.
func (d *Directory) BySubs(subs []string) []User {
	var found []User
	for _, sub := range subs {
		if user, ok := d.BySub(sub); ok {
			found = append(found, user)
		}
	}
	return found
}

// ByName returns the user with this username or email, ignoring case.
func (d *Directory) ByName(name string) (User, bool) {
	p := d.people.Load()
	return p.at(p.find(name))
}

// Key returns the same text for all names of one user, by which failed attempts are counted. An unknown name has a key
// of its own.
func (d *Directory) Key(name string) string {
	if user, ok := d.ByName(name); ok {
		return "sub " + user.Sub
	}
	return "name " + canonical(name)
}

// Authenticate returns the user with this username or email if the password is right. It does the same work for all
// names, known or not, so that the time of the answer does not reveal which users exist. Memory and processors of
// comparisons are bounded: after a wait of at most five seconds the error is ErrBusy, and nothing was compared.
func (d *Directory) Authenticate(ctx context.Context, name, password string) (User, bool, error) {
	var own kind
	p := d.people.Load()
	i, known := p.find(name)
	if known {
		own = p.own[i]
	}
	matches, err := p.compare.matches(ctx, own.name, own.compare, password)
	user, ok := p.at(i, known && matches)
	return user, ok, err
}

// canonical is the form in which names are compared: in lower case, without blanks around it, and in Normalization
// Form C (RFC 8265 §3.3), because some keyboards and file systems write ë as two characters.
func canonical(name string) string { return norm.NFC.String(strings.ToLower(strings.TrimSpace(name))) }

func (p *people) find(name string) (int, bool) {
	name = canonical(name)
	if i, ok := p.byName[name]; ok {
		return i, true
	}
	i, ok := p.byEmail[name]
	return i, ok
}

func (p *people) at(i int, ok bool) (User, bool) {
	if !ok {
		return User{}, false
	}
	return p.users[i], true
}

// CheckHash returns an error unless hash is a valid bcrypt or argon2id hash.
func CheckHash(hash string) error {
	_, err := decodeHash(hash)
	return err
}

// comparison returns the kind of the user's hash, and the comparison with it.
func (u User) comparison() (kind, error) {
	if u.PasswordHash == "" {
		return kind{compare: plain(u.Password)}, nil
	}
	digest, err := decodeHash(u.PasswordHash)
	if err != nil {
		return kind{}, err
	}
	k := kindOf(digest.Encode())
	k.compare = digest.Match
	return k, nil
}

// plain compares in constant time. An empty password never matches.
func plain(password string) func(string) bool {
	want := sha256.Sum256([]byte(password))
	return func(given string) bool {
		got := sha256.Sum256([]byte(given))
		return subtle.ConstantTimeCompare(want[:], got[:]) == 1 && password != ""
	}
}

func decodeHash(hash string) (algorithm.Digest, error) {
	decoder := crypt.NewDecoder()
	if err := argon2.RegisterDecoderArgon2id(decoder); err != nil {
		return nil, err
	}
	if err := bcrypt.RegisterDecoder(decoder); err != nil {
		return nil, err
	}
	digest, err := decoder.Decode(hash)
	if err != nil {
		return nil, fmt.Errorf("password_hash is neither bcrypt ($2b$…) nor argon2id ($argon2id$…): %w", err)
	}
	return digest, nil
}
