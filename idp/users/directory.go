package users

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"strings"

	"github.com/go-crypt/crypt"
	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
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

// Directory holds the users. It does not change after New.
type Directory struct {
	users   []User
	check   []func(password string) bool // of the user at the same index
	nobody  func(password string) bool   // for an unknown user; takes as long as check
	bySub   map[string]int
	byName  map[string]int // by username, in lower case
	byEmail map[string]int // by email, in lower case: used only if no username matches
}

// New returns a directory of users. All subs and all usernames must be different, and all hashes valid.
func New(users []User) (*Directory, error) {
	d := &Directory{bySub: map[string]int{}, byName: map[string]int{}, byEmail: map[string]int{}, nobody: plain("")}
	for _, user := range users {
		if err := d.add(user); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *Directory) add(user User) error {
	if user.Sub == "" {
		user.Sub = user.Username
	}
	check, err := user.checker()
	if err != nil {
		return fmt.Errorf("user %q: %w", user.Username, err)
	}
	if user.PasswordHash != "" {
		d.nobody = check
	}
	i := len(d.users)
	d.users, d.check = append(d.users, user), append(d.check, check)
	d.bySub[user.Sub] = i
	if email := strings.ToLower(user.Email()); email != "" {
		d.byEmail[email] = i
	}
	d.byName[strings.ToLower(user.Username)] = i
	return nil
}

// All returns the users in the order of the configuration.
func (d *Directory) All() []User { return d.users }

// BySub returns the user with this sub claim.
func (d *Directory) BySub(sub string) (User, bool) {
	i, ok := d.bySub[sub]
	return d.at(i, ok)
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
	return d.at(d.find(name))
}

// Authenticate returns the user with this username or email if the password is right. It takes the same time for known
// and unknown users, so that the time of the answer does not reveal which users exist.
func (d *Directory) Authenticate(name, password string) (User, bool) {
	i, ok := d.find(name)
	if !ok {
		d.nobody(password)
		return User{}, false
	}
	return d.at(i, d.check[i](password))
}

func (d *Directory) find(name string) (int, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if i, ok := d.byName[name]; ok {
		return i, true
	}
	i, ok := d.byEmail[name]
	return i, ok
}

func (d *Directory) at(i int, ok bool) (User, bool) {
	if !ok {
		return User{}, false
	}
	return d.users[i], true
}

// CheckHash returns an error unless hash is a valid bcrypt or argon2id hash.
func CheckHash(hash string) error {
	_, err := decodeHash(hash)
	return err
}

func (u User) checker() (func(string) bool, error) {
	if u.PasswordHash == "" {
		return plain(u.Password), nil
	}
	digest, err := decodeHash(u.PasswordHash)
	if err != nil {
		return nil, err
	}
	return digest.Match, nil
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
