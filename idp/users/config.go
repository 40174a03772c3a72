package users

import (
	"fmt"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// Check reports what is wrong with users. Passwords in plain text are allowed for a loopback issuer only.
func Check(users []User, loopback bool, report oidc.Report) {
	report.When(len(users) == 0, "users",
		"is empty, so nobody can sign in: list users (the built-in ones exist on a loopback issuer only)")
	names, subs, emails := map[string]int{}, map[string]bool{}, map[string]bool{}
	for i, user := range users {
		at := fmt.Sprintf("users[%d]", i)
		report := report.In(at)
		name, sub, email := canonical(user.Username), user.Sub, canonical(user.Email())
		if sub == "" {
			sub = strings.TrimSpace(user.Username) // the blanks are a problem of their own
		}
		report.When(name == "", "username", "is empty: every user needs one")
		report.When(name != "" && strings.TrimSpace(user.Username) != user.Username, "username",
			"%q begins or ends with a blank, and sign-in ignores such blanks: remove it", user.Username)
		if first, isTaken := names[name]; isTaken && name != "" {
			report("username", takenName(user.Username, users[first].Username, first))
		} else {
			names[name] = i
		}
		report.When(subs[sub] && sub != "", "sub", "%q is another user's sub already: a sub is never shared (Core §2)", sub)
		report.When(len(sub) > 255, "sub", "has %d characters; Core §2 allows 255: shorten it", len(sub))
		report.When(strings.ContainsFunc(sub, notSub), "sub",
			"%q is not printable ASCII without spaces, as a sub has to be (Core §2): write one beside the username", sub)
		CheckClaims(user.Claims, report.In("claims"))
		report.When(emails[email] && email != "", "claims.email",
			"%q is another user's email already: people sign in by it, so it must be one person's", user.Email())
		subs[sub], emails[email] = true, true
		checkPassword(user, loopback, report)
	}
}

// takenName describes a username that means the same as that of an earlier user.
func takenName(name, earlier string, at int) string {
	why := ""
	if name != earlier && strings.EqualFold(name, earlier) {
		why = ", because case does not count"
	}
	return fmt.Sprintf("%q is the name of users[%d], %q, already%s: rename one", name, at, earlier, why)
}

func notSub(r rune) bool { return r <= 0x20 || r > 0x7e }

func checkPassword(user User, loopback bool, report oidc.Report) {
	switch {
	case user.Password != "" && user.PasswordHash != "":
		report("password", "stands beside password_hash: keep one")
	case user.Password != "" && !loopback:
		report("password", "is plain text, which is for a loopback issuer only: write password_hash "+
			"(idp hash-password makes one)")
	case user.PasswordHash != "":
		err := CheckHash(user.PasswordHash)
		report.When(err != nil, "password_hash", "cannot be read: %v", err)
	default:
		report.When(user.Password == "", "password_hash", "is missing: give user %q one, or a password", user.Username)
	}
}
