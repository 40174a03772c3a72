package users_test

import (
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/users"
)

func TestCheckHash(t *testing.T) {
	bcrypt, argon := bcryptHash(t, "x"), argon2idHash(t, "x")
	for _, row := range []struct {
		name, hash string
		good       bool
	}{
		{"bcrypt $2a$", bcrypt, true},
		{"bcrypt $2b$, as most tools write it", strings.Replace(bcrypt, "$2a$", "$2b$", 1), true},
		{"bcrypt $2y$, as htpasswd writes it", strings.Replace(bcrypt, "$2a$", "$2y$", 1), true},
		{"RFC 9106 argon2id", argon, true},
		{"RFC 9106 §4 argon2i is not for passwords of ours", strings.Replace(argon, "argon2id", "argon2i", 1), false},
		{"bcrypt cut short", bcrypt[:len(bcrypt)-10], false},
		{"bcrypt without its $", strings.ReplaceAll(bcrypt, "$", ""), false},
		{"argon2id cut short", argon[:strings.LastIndex(argon, "$")], false},
		{"SHA-256 in hexadecimal", strings.Repeat("0a", 32), false},
		{
			"SHA-512 of crypt(3)",
			"$6$saltsalt$qFmFH.bQmmtXzyBY0s9v7Oicd2z4XSIecDzlB5KiA2/jctKu9YterLp8wwnSq.qc.eoxqOmSuNp2xS0ktL3nh/", false,
		},
		{"MD5 of crypt(3)", "$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/", false},
		{"a plain password in the wrong field", "alice", false},
		{"nothing", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			err := users.CheckHash(row.hash)
			if (err == nil) != row.good {
				t.Errorf("CheckHash(%s) = %v; want good: %t", row.hash, err, row.good)
			}
			if err != nil && !(strings.Contains(err.Error(), "bcrypt") && strings.Contains(err.Error(), "argon2id")) {
				t.Errorf("the error does not say what is expected: %v", err)
			}
		})
	}
}

func TestNewNamesTheUserWhoseHashCannotBeRead(t *testing.T) {
	_, err := users.New([]users.User{{Username: "alice", Password: "x"}, {Username: "bob", PasswordHash: "x"}})
	if err == nil || !strings.Contains(err.Error(), `"bob"`) {
		t.Errorf("New = %v; want an error that names bob", err)
	}
}
