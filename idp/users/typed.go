package users

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// The bounds of Typed.
const (
	maxTyped      = 100 // users; the oldest makes room
	maxTypedName  = 100 // characters
	maxTypedClaim = 16 << 10
)

// Typed are the users that people typed on the sign-in page of development mode, beside those of the directory. They
// exist until the process ends.
type Typed struct {
	Directory *Directory

	mutex sync.Mutex
	subs  []string // the oldest first
}

// User returns the user with this name, and makes one if there is none. claims is a JSON object or empty; its sub, if
// it has one, is the sub of a new user. The claims of a user who was typed before are replaced, unless claims is empty.
// The text of an error is for the person who typed.
func (t *Typed) User(name, claims string) (User, error) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	name, claims = strings.TrimSpace(name), strings.TrimSpace(claims)
	old, known := t.Directory.ByName(name)
	if known && claims == "" {
		return old, nil
	}
	if known && !slices.Contains(t.subs, old.Sub) {
		return User{}, fmt.Errorf("user %.100q has the claims of the configuration: choose another name, or leave the "+
			"claims empty", name)
	}
	user, err := newTyped(name, claims)
	if err != nil {
		return User{}, err
	}
	return user, t.put(old.Sub, user)
}

// newTyped makes a user without a password.
func newTyped(name, claims string) (User, error) {
	user := User{Username: name, Sub: url.PathEscape(name), Password: rand.Text(), Claims: map[string]any{}}
	if length := utf8.RuneCountInString(name); length == 0 || length > maxTypedName || len(claims) > maxTypedClaim {
		return user, fmt.Errorf("the name has %d characters and the claims %d bytes: write a name of 1 to %d characters, "+
			"and claims of at most %d bytes", length, len(claims), maxTypedName, maxTypedClaim)
	}
	if claims != "" {
		if err := json.Unmarshal([]byte(claims), &user.Claims); err != nil || user.Claims == nil {
			return user, fmt.Errorf("the claims are no JSON object%s: write one like %s", placeOf(err, claims),
				`{"email": "dana@example.com", "roles": ["admin"]}`)
		}
	}
	if sub, ok := user.Claims["sub"].(string); ok {
		user.Sub = sub
		delete(user.Claims, "sub")
	}
	for _, claim := range []string{"name", "preferred_username"} {
		if _, ok := user.Claims[claim]; !ok {
			user.Claims[claim] = name
		}
	}
	return user, nil
}

// placeOf describes the fault of a JSON text with its line and column; it is empty for a text that is JSON.
func placeOf(err error, text string) string {
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return ""
	}
	before := text[:min(int(syntax.Offset), len(text))]
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	return fmt.Sprintf(" (line %d, character %d: %s)", line, column, strings.ReplaceAll(syntax.Error(), "\n", " "))
}

// put adds the user to the directory, in place of the one with the sub replaced. Above the bound the oldest goes.
func (t *Typed) put(replaced string, user User) error {
	isOver := func(sub string) bool { _, isThere := t.Directory.BySub(sub); return sub == replaced || !isThere }
	subs := append(slices.DeleteFunc(slices.Clone(t.subs), isOver), user.Sub) // a reset has removed some
	gone := replaced
	if len(subs) > maxTyped {
		gone, subs = subs[0], subs[1:]
	}
	err := t.Directory.Change(func(before []User) ([]User, error) {
		isGone := func(u User) bool { return u.Sub == gone || u.Sub == replaced }
		after := append(slices.DeleteFunc(slices.Clone(before), isGone), user)
		var problems []string
		Check(after, true, func(path, text string) {
			_, path, _ = strings.Cut(path, ".")
			problems = append(problems, path+" "+text)
		})
		if problems != nil {
			return nil, errors.New(strings.Join(problems, "; "))
		}
		return after, nil
	})
	if err == nil {
		t.subs = subs
	}
	return err
}
