package users_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/go-crypt/crypt/algorithm/argon2"

	"github.com/hush-idp/hush/idp/users"
)

// people are one user for each way to keep a password. The password is the name, backwards.
func people(t *testing.T) *users.Directory {
	t.Helper()
	directory, err := users.New([]users.User{
		{Username: "alice", Password: "ecila", Claims: map[string]any{"name": "Alice Archer", "email": "Alice@example.com"}},
		{Username: "Bob", Sub: "b-1", PasswordHash: bcryptHash(t, "bob"), Claims: map[string]any{"email": "bob@example.com"}},
		{Username: "carol", PasswordHash: argon2idHash(t, "lorac")},
		{Username: "dave"},
		{Username: "Zo\u00eb M\u00fcller", Sub: "z-1", Password: "z",
			Claims: map[string]any{"email": "zoe\u0308@example.com"}},
		{Username: "A\u030asa", Sub: "z-2", Password: "z"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return directory
}

func bcryptHash(t *testing.T, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func argon2idHash(t *testing.T, password string) string {
	t.Helper()
	hasher, err := argon2.New(argon2.WithVariantName("argon2id"), argon2.WithM(64), argon2.WithT(1), argon2.WithP(1))
	if err != nil {
		t.Fatal(err)
	}
	digest, err := hasher.Hash(password)
	if err != nil {
		t.Fatal(err)
	}
	return digest.Encode()
}

func TestAuthenticate(t *testing.T) {
	directory := people(t)
	for _, row := range []struct{ name, username, password, sub string }{
		{"a plain password", "alice", "ecila", "alice"},
		{"a bcrypt hash", "Bob", "bob", "b-1"},
		{"an argon2id hash", "carol", "lorac", "carol"},
		{"the email in place of the username", "bob@example.com", "bob", "b-1"},
		{"the username in other case", "ALICE", "ecila", "alice"},
		{"the email in other case", "aLICE@EXAMPLE.com", "ecila", "alice"},
		{"a username in upper case, typed in lower", "bob", "bob", "b-1"},
		{"spaces around the username", " alice ", "ecila", "alice"},

		{"RFC 8265 §3.3 a composed name, typed decomposed", "Zoe\u0308 Mu\u0308ller", "z", "z-1"},
		{"RFC 8265 §3.3 a composed name, typed decomposed in upper case", "ZOE\u0308 MU\u0308LLER", "z", "z-1"},
		{"RFC 8265 §3.3 a decomposed name, typed composed", "\u00c5sa", "z", "z-2"},
		{"RFC 8265 §3.3 a decomposed name, typed with the sign of the unit Ångström", "\u212bsa", "z", "z-2"},
		{"RFC 8265 §3.3 a decomposed email, typed composed", "ZO\u00cb@example.com", "z", "z-1"},
		{"a blank that does not break behind the username", "alice\u00a0", "ecila", "alice"},
		{"a name without its diacritic is another", "Zoe M\u00fcller", "z", ""},

		{"a wrong plain password", "alice", "alice", ""},
		{"a wrong password against bcrypt", "Bob", "Bob", ""},
		{"a wrong password against argon2id", "carol", "Lorac", ""},
		{"a password with spaces around it", "alice", " ecila ", ""},
		{"the password in other case", "alice", "ECILA", ""},
		{"another user's password", "alice", "bob", ""},
		{"no password", "alice", "", ""},
		{"no password against bcrypt", "Bob", "", ""},
		{"the sub is no username", "b-1", "bob", ""},
		{"a user without password and hash cannot sign in", "dave", "", ""},
		{"a user without password and hash cannot guess one", "dave", "evad", ""},
		{"an unknown user", "mallory", "x", ""},
		{"an unknown user with a password that somebody has", "mallory", "lorac", ""},
		{"nobody", "", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			user, ok, err := directory.Authenticate(t.Context(), row.username, row.password)
			if err != nil || ok != (row.sub != "") || user.Sub != row.sub {
				t.Errorf("Authenticate(%q, %q) = %+v, %t, %v; want the user %q",
					row.username, row.password, user, ok, err, row.sub)
			}
		})
	}
}

func TestFindingUsers(t *testing.T) {
	directory := people(t)
	if user, ok := directory.BySub("b-1"); !ok || user.Username != "Bob" {
		t.Errorf("BySub(b-1) = %+v, %t; want Bob", user, ok)
	}
	if user, ok := directory.BySub("alice"); !ok || user.Sub != "alice" {
		t.Errorf("BySub(alice) = %+v, %t; want alice, whose sub is her username", user, ok)
	}
	for _, sub := range []string{"Bob", "B-1", "ALICE", "", "alice "} { // Core §2: sub is a case-sensitive string
		if user, ok := directory.BySub(sub); ok {
			t.Errorf("BySub(%q) = %+v", sub, user)
		}
	}
	if user, ok := directory.ByName("BOB@example.com"); !ok || user.Sub != "b-1" {
		t.Errorf("ByName(BOB@example.com) = %+v, %t; want Bob", user, ok)
	}
	if user, ok := directory.ByName("mallory"); ok {
		t.Errorf("ByName(mallory) = %+v", user)
	}
	if got := names(directory.All()); got != "alice Bob carol dave Zo\u00eb M\u00fcller A\u030asa" {
		t.Errorf("All() = %s; want the order of the configuration", got)
	}
	if got := names(directory.BySubs([]string{"carol", "gone", "b-1"})); got != "carol Bob" {
		t.Errorf("BySubs = %s; want carol Bob, in the order asked and without the unknown", got)
	}
}

func TestAllNamesOfAUserHaveOneKey(t *testing.T) {
	directory := people(t)
	if n := len(keysOf(directory, "alice", " ALICE ", "alice@example.com", "Alice@Example.com ")); n != 1 {
		t.Errorf("alice's names have %d keys; want 1", n)
	}
	if n := len(keysOf(directory, "mallory", " MALLORY")); n != 1 {
		t.Errorf("the spellings of an unknown name have %d keys; want 1", n)
	}
	if n := len(keysOf(directory, "alice", "bob", "b-1", "mallory", "sub alice")); n != 5 {
		t.Errorf("five names of nobody else have %d keys; want 5: a sub is no name", n)
	}
}

func keysOf(directory *users.Directory, names ...string) map[string]bool {
	keys := map[string]bool{}
	for _, name := range names {
		keys[directory.Key(name)] = true
	}
	return keys
}

func names(list []users.User) string {
	var all []string
	for _, user := range list {
		all = append(all, user.Username)
	}
	return strings.Join(all, " ")
}

// A name belongs to one user, in whatever order they are configured.
func TestAUsernameIsStrongerThanAnotherUsersEmail(t *testing.T) {
	owner := users.User{Username: "team@example.com", Password: "owner"}
	other := users.User{Username: "eve", Password: "eve", Claims: map[string]any{"email": "Team@example.com"}}
	for name, list := range map[string][]users.User{"the owner first": {owner, other}, "the owner last": {other, owner}} {
		t.Run(name, func(t *testing.T) {
			directory, err := users.New(list)
			if err != nil {
				t.Fatal(err)
			}
			if user, ok, _ := directory.Authenticate(t.Context(), "team@example.com", "owner"); !ok {
				t.Errorf("the owner of the username cannot sign in: %+v", user)
			}
			if user, ok, _ := directory.Authenticate(t.Context(), "team@example.com", "eve"); ok {
				t.Errorf("the username signs in %q by the email they gave", user.Username)
			}
		})
	}
}

func TestHowAUserIsShown(t *testing.T) {
	for _, row := range []struct {
		name        string
		user        users.User
		shown, mail string
	}{
		{
			"Core §5.1 name and email", users.User{Username: "u", Claims: map[string]any{"name": "N", "email": "e@x"}}, "N",
			"e@x",
		},
		{"without claims", users.User{Username: "u"}, "u", ""},
		{"an empty name", users.User{Username: "u", Claims: map[string]any{"name": ""}}, "u", ""},
		{"claims that are no strings", users.User{Username: "u", Claims: map[string]any{"name": 7, "email": 7}}, "u", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.user.Name() != row.shown || row.user.Email() != row.mail {
				t.Errorf("Name, Email = %q, %q; want %q, %q", row.user.Name(), row.user.Email(), row.shown, row.mail)
			}
		})
	}
}

func TestUsersChangeWhileTheProviderRuns(t *testing.T) {
	directory, err := users.New([]users.User{{Username: "alice", Password: "alice"}})
	if err != nil {
		t.Fatal(err)
	}
	add := func(user users.User) error {
		return directory.Change(func(before []users.User) ([]users.User, error) {
			return append(slices.Clone(before), user), nil
		})
	}
	if err := add(users.User{Username: "dana", Password: "dana", Sub: "7"}); err != nil {
		t.Fatal(err)
	}
	if user, ok, err := directory.Authenticate(t.Context(), "dana", "dana"); !ok || err != nil || user.Sub != "7" {
		t.Errorf("the new user signs in as %v, %t, %v", user, ok, err)
	}
	if known := *directory.Known.Load(); !known["alice"] || !known["7"] || len(known) != 2 {
		t.Errorf("the known subs are %v", known)
	}
	if err := add(users.User{Username: "eve", PasswordHash: "no hash"}); err == nil || len(directory.All()) != 2 {
		t.Errorf("an unreadable hash gave %v, and there are %d users; want an error and 2", err, len(directory.All()))
	}
	refused := errors.New("refused")
	err = directory.Change(func([]users.User) ([]users.User, error) { return nil, refused })
	if !errors.Is(err, refused) || len(directory.All()) != 2 {
		t.Errorf("an error of change gave %v, and there are %d users", err, len(directory.All()))
	}
}
