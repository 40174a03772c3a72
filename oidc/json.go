package oidc

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// JSONFault says what is wrong with a text that package encoding/json refused with err: for error_description, without
// the words of that package.
func JSONFault(err error) string {
	_, isTime := errors.AsType[*time.ParseError](err)
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	wrong, isWrong := errors.AsType[*json.UnmarshalTypeError](err)
	unknown, isUnknown := strings.CutPrefix(err.Error(), "json: unknown field ") // it has no type of its own
	switch {
	case isBroken(err):
		return brokenBody
	case isWrong && wrong.Field == "":
		return fmt.Sprintf("it is of the JSON type %s; expected %s", wrong.Value, expected(wrong.Type))
	case isWrong:
		return fmt.Sprintf("%s is of the JSON type %s; expected %s", wrong.Field, wrong.Value, expected(wrong.Type))
	case isUnknown:
		return "the member " + unknown + " is not known: correct its name, or leave it out"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too early"
	case isSyntax:
		return fmt.Sprintf("it is no JSON at byte %d", syntax.Offset)
	case isTime:
		return "a time has another form than 2026-11-29T09:00:00Z (RFC 3339)"
	}
	return "it cannot be read as JSON"
}

// expected names the JSON type that a value of the Go type is read from.
func expected(t reflect.Type) string {
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return "a string"
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "an array"
	case reflect.Float64:
		return "a number"
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return "a whole number"
	}
	return "an object"
}
