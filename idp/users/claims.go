package users

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/mail"
	"slices"
	"strings"
)

// form is the JSON form of a claim.
type form struct {
	text string // "a string"
	help string // how to write one
	is   func(value any) bool
}

var (
	aString  = form{"a string", "put quotes around it", is[string]}
	aBoolean = form{"true or false", "write it without quotes", is[bool]}
	aNumber  = form{"a number of seconds since 1970", "write one such as 1577836800, without quotes", isNumber}
	anObject = form{
		"an object with the members of Core §5.1.1", "write members such as street_address", is[map[string]any],
	}
	aMailbox = form{
		"an email address and nothing else (RFC 5322 addr-spec)", "write one such as alice@example.com", isMailbox,
	}
)

// forms maps each claim to its form (Core §5.1, the column "Type").
// https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims
var forms = map[string]form{
	"name": aString, "given_name": aString, "family_name": aString, "middle_name": aString, "nickname": aString,
	"preferred_username": aString, "profile": aString, "picture": aString, "website": aString, "gender": aString,
	"birthdate": aString, "zoneinfo": aString, "locale": aString,
	"email": aMailbox, "email_verified": aBoolean, "phone_number": aString, "phone_number_verified": aBoolean,
	"address": anObject, "updated_at": aNumber,
}

// CheckClaims reports each claim that does not have the form of Core §5.1. A claim without a value is never sent, so it
// is not checked.
func CheckClaims(claims map[string]any, problem func(name, text string)) {
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value := claims[name]
		bare, _, _ := strings.Cut(name, "#") // Core §5.2: the language of a claim follows its name
		want, known := forms[bare]
		switch {
		case bare == "sub":
			problem(name, "is the user's sub: write it beside claims, not among them")
		case known && value != nil && !want.is(value):
			problem(name, fmt.Sprintf("is %s; expected %s (Core §5.1): %s", shown(value), want.text, want.help))
		case bare == "address":
			checkAddress(name, value, problem)
		}
	}
}

// checkAddress checks that all members are strings (Core §5.1.1).
func checkAddress(name string, value any, problem func(name, text string)) {
	members, _ := value.(map[string]any)
	for _, member := range slices.Sorted(maps.Keys(members)) {
		if !is[string](members[member]) {
			problem(name+"."+member,
				fmt.Sprintf("is %s; expected a string (Core §5.1.1): put quotes around it", shown(members[member])))
		}
	}
}

// shown is the value as YAML and JSON write it, so that a text is seen to be one.
func shown(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}

func is[T any](value any) bool {
	_, ok := value.(T)
	return ok
}

func isNumber(value any) bool {
	return is[int](value) || is[int64](value) || is[uint64](value) || is[float64](value)
}

func isMailbox(value any) bool {
	text, _ := value.(string)
	parsed, err := mail.ParseAddress(text)
	return err == nil && parsed.Address == text
}
