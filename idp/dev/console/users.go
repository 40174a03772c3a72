package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	jsonpatch "github.com/evanphx/json-patch/v5"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// maxUsers bounds the users that the API makes.
const maxUsers = 1000

// userBody is the body of PUT and PATCH /console/users/{username}. The passwords are never in an answer.
type userBody struct {
	// Sub is the sub claim; default: the username.
	Sub string `json:"sub,omitempty"`
	// Password is the password in plain text. Default: the username, if there is no password_hash either.
	Password string `json:"password,omitempty"`
	// PasswordHash is a bcrypt or argon2id hash, instead of password.
	PasswordHash string `json:"password_hash,omitempty"`
	// Claims are the claims about the user, by the names of Core §5.1.
	Claims map[string]any `json:"claims,omitempty"`
}

// userAnswer is a user without the password.
type userAnswer struct {
	Sub      string         `json:"sub"`
	Username string         `json:"username"`
	Name     string         `json:"name"`
	Email    string         `json:"email,omitempty"`
	Claims   map[string]any `json:"claims"`
}

// userList is the answer of GET /console/users.
type userList struct {
	Users []userAnswer `json:"users"`
}

func answerOf(user users.User) userAnswer {
	return userAnswer{user.Sub, user.Username, user.Name(), user.Email(), user.Claims}
}

// users is GET /console/users.
func (e *Endpoint) users(http.ResponseWriter, *http.Request) (any, error) {
	all := e.Users.All()
	answers := make([]userAnswer, len(all))
	for i, user := range all {
		answers[i] = answerOf(user)
	}
	return userList{answers}, nil
}

// user is GET /console/users/{username}.
func (e *Endpoint) user(_ http.ResponseWriter, r *http.Request) (any, error) {
	user, ok := e.Users.ByName(r.PathValue("username"))
	if !ok {
		return nil, unknownUser(r.PathValue("username"))
	}
	return answerOf(user), nil
}

func unknownUser(name string) error {
	return oidc.InvalidRequest.Errorf("user %.50q does not exist: GET /console/users lists the users", name).
		Because(errAbsent)
}

// putUser is PUT /console/users/{username}: it adds the user, or replaces the user with this username.
func (e *Endpoint) putUser(_ http.ResponseWriter, r *http.Request) (any, error) {
	var body userBody
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	return e.changeUsers(r.PathValue("username"), func(*users.User) (userBody, error) { return body, nil })
}

// patchUser is PATCH /console/users/{username}: the body is a JSON merge patch (RFC 7396) of the user.
func (e *Endpoint) patchUser(_ http.ResponseWriter, r *http.Request) (any, error) {
	var patch json.RawMessage
	if err := readJSON(r, &patch); err != nil {
		return nil, err
	}
	return e.changeUsers(r.PathValue("username"), func(old *users.User) (body userBody, err error) {
		if old == nil {
			return body, unknownUser(r.PathValue("username"))
		}
		before, err := json.Marshal(userBody{old.Sub, old.Password, old.PasswordHash, old.Claims})
		if err != nil {
			return body, err
		}
		after, err := jsonpatch.MergePatch(before, patch)
		if err != nil {
			return body, oidc.InvalidRequest.Errorf("the body cannot be read: send a JSON object").Because(err)
		}
		return body, decode(bytes.NewReader(after), &body)
	})
}

// deleteUser is DELETE /console/users/{username}. The user's sessions and tokens are not valid any more.
func (e *Endpoint) deleteUser(w http.ResponseWriter, r *http.Request) (any, error) {
	name := r.PathValue("username")
	err := e.Users.Change(func(before []users.User) ([]users.User, error) {
		left := slices.DeleteFunc(slices.Clone(before), isNamed(name))
		if len(left) == len(before) {
			return nil, unknownUser(name)
		}
		return left, nil
	})
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return nil, err
}

func isNamed(name string) func(users.User) bool {
	return func(user users.User) bool { return strings.EqualFold(user.Username, name) }
}

// changeUsers adds or replaces the user with this username by the result of change, which gets the user before, or nil.
func (e *Endpoint) changeUsers(name string, change func(old *users.User) (userBody, error)) (any, error) {
	var changed users.User
	err := e.Users.Change(func(before []users.User) ([]users.User, error) {
		all := slices.Clone(before)
		i := slices.IndexFunc(all, isNamed(name))
		var old *users.User
		if i >= 0 {
			old = &all[i]
		}
		body, err := change(old)
		if err != nil {
			return nil, err
		}
		changed = body.user(name)
		switch {
		case i >= 0:
			all[i] = changed
		case len(all) >= maxUsers:
			return nil, oidc.InvalidRequest.Errorf("there are %d users already: delete some", len(all))
		default:
			all = append(all, changed)
		}
		return all, checkUser(slices.DeleteFunc(slices.Clone(all), isNamed(name)), changed)
	})
	return answerOf(changed), err
}

func (b userBody) user(name string) users.User {
	user := users.User{Sub: cmp.Or(b.Sub, name), Username: name, Password: b.Password, PasswordHash: b.PasswordHash,
		Claims: b.Claims}
	if user.PasswordHash == "" {
		user.Password = cmp.Or(user.Password, name)
	}
	return user
}

// checkUser returns an error with the problems of the user beside the others: the checks of the configuration file.
func checkUser(others []users.User, user users.User) error {
	var problems []string
	prefix := fmt.Sprintf("users[%d].", len(others))
	users.Check(append(others, user), true, func(path, text string) {
		if member, isOf := strings.CutPrefix(path, prefix); isOf {
			problems = append(problems, member+": "+text)
		}
	})
	if problems == nil {
		return nil
	}
	return oidc.InvalidRequest.Errorf("%s", strings.Join(problems, "; "))
}
