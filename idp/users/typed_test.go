package users_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/users"
)

func typed(t *testing.T) *users.Typed {
	t.Helper()
	directory, err := users.New([]users.User{
		{Username: "alice", Password: "ecila", Claims: map[string]any{"name": "Alice Archer"}},
		{Username: "Bob", Sub: "b-1", Password: "bob", Claims: map[string]any{"email": "bob@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &users.Typed{Directory: directory}
}

func TestATypedUserExists(t *testing.T) {
	for _, row := range []struct{ name, typed, claims, sub, claim, want string }{
		{"a name alone", "dora", "", "dora", "name", "dora"},
		{"blanks around it", "  dora ", " ", "dora", "preferred_username", "dora"},
		{"Core §2 a sub is ASCII", "Zoë Q", "", "Zo%C3%AB%20Q", "name", "Zoë Q"},
		{"claims as JSON", "dora", `{"roles": ["admin"]}`, "dora", "roles", "[admin]"},
		{"a sub of its own", "dora", `{"sub": "d-1", "name": "Dora D"}`, "d-1", "name", "Dora D"},
		{"a configured user", "alice", "", "alice", "name", "Alice Archer"},
	} {
		t.Run(row.name, func(t *testing.T) {
			list := typed(t)
			user, err := list.User(row.typed, row.claims)
			if err != nil {
				t.Fatal(err)
			}
			found, ok := list.Directory.BySub(row.sub)
			if !ok || user.Sub != row.sub || fmt.Sprint(found.Claims[row.claim]) != row.want {
				t.Errorf("the user is %+v; want sub %s and %s %s", found, row.sub, row.claim, row.want)
			}
			if _, ok, _ := list.Directory.Authenticate(t.Context(), row.typed, ""); ok {
				t.Error("the user signs in by the empty password")
			}
		})
	}
}

func TestWhatCannotBeTyped(t *testing.T) {
	for _, row := range []struct{ name, typed, claims, want string }{
		{"no name", " ", "", "a name of 1 to 100"},
		{"a long name", strings.Repeat("x", 101), "", "a name of 1 to 100"},
		{"long claims", "dora", `{"a":"` + strings.Repeat("x", 17<<10) + `"}`, "at most 16384 bytes"},
		{"broken JSON", "dora", "{\n  \"roles\": [\"admin\"\n}", "line 3, character 1"},
		{"JSON that is no object", "dora", `["admin"]`, "no JSON object"},
		{"JSON null", "dora", `null`, "no JSON object"},
		{"a claim of another form", "dora", `{"email_verified": "true"}`,
			`is "true"; expected true or false (Core §5.1): write it without quotes`},
		{"a sub with a blank", "dora", `{"sub": "d 1"}`, "printable ASCII"},
		{"the sub of another user", "dora", `{"sub": "b-1"}`, "another user's sub"},
		{"the email of another user", "dora", `{"email": "bob@example.com"}`, "another user's email"},
		{"other claims for a configured user", "Alice", `{"roles": ["admin"]}`, "choose another name"},
	} {
		t.Run(row.name, func(t *testing.T) {
			list := typed(t)
			before := len(list.Directory.All())
			if _, err := list.User(row.typed, row.claims); err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v; want %q in it", err, row.want)
			}
			if len(list.Directory.All()) != before {
				t.Error("a user was made")
			}
		})
	}
}

func TestClaimsTypedAgainReplaceTheClaims(t *testing.T) {
	list := typed(t)
	for _, claims := range []string{`{"roles": ["admin"]}`, `{"roles": ["guest"]}`, ""} {
		if _, err := list.User("dora", claims); err != nil {
			t.Fatal(err)
		}
	}
	if user, _ := list.Directory.ByName("dora"); fmt.Sprint(user.Claims["roles"]) != "[guest]" {
		t.Errorf("the claims are %v", user.Claims)
	}
}

func TestTypedUsersAreBounded(t *testing.T) {
	list := typed(t)
	before := len(list.Directory.All())
	for i := range 105 {
		if _, err := list.User(fmt.Sprint("user-", i), ""); err != nil {
			t.Fatal(err)
		}
	}
	_, oldest := list.Directory.ByName("user-4")
	_, newest := list.Directory.ByName("user-104")
	if more := len(list.Directory.All()) - before; more != 100 || oldest || !newest {
		t.Errorf("there are %d typed users, the oldest is there: %t, the newest: %t", more, oldest, newest)
	}
}

func TestAResetMakesRoomForTypedUsers(t *testing.T) {
	list := typed(t)
	for range 100 {
		if err := list.Directory.Reset(); err != nil {
			t.Fatal(err)
		}
		if _, err := list.User("dana", ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := list.User("erin", ""); err != nil {
		t.Fatal(err)
	}
	if _, isThere := list.Directory.ByName("dana"); !isThere {
		t.Error("dana was typed a moment ago, and made room for a user that a reset removed")
	}
}
