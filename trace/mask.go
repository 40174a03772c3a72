package trace

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxText   = 300  // characters of a plain value
	maxToken  = 8192 // bytes of a JWT that is still shown decoded
	maxValues = 50   // parameters of one request
	prefix    = 6    // characters that are shown of a secret
	short     = 12   // a secret of so many characters, or fewer, shows none
)

// Value is one value by its wire name, ready to be shown: a secret is masked.
type Value struct {
	Name    string  `json:"name"`
	Text    string  `json:"text"`
	Decoded Decoded `json:"decoded,omitempty"` // of a JWT
	sum     uint64  // of a secret: equal for equal secrets
}

// Decoded is a JWT without its signature. In JSON it is {"header":…,"claims":…}. Before its decoding it begins with
// undecoded. No JSON begins so, and a client may send JSON instead of a JWT.
type Decoded string

const undecoded = "."

// MarshalJSON implements json.Marshaler. A text that cannot be decoded becomes null.
func (d Decoded) MarshalJSON() ([]byte, error) {
	token, ours := strings.CutPrefix(string(d), undecoded)
	if !ours {
		return []byte(cmp.Or(string(d), "null")), nil // it was read back
	}
	header, claims, _ := strings.Cut(token, ".")
	parts := struct {
		Header json.RawMessage `json:"header"`
		Claims json.RawMessage `json:"claims"`
	}{segment(header), segment(claims)}
	return json.Marshal(parts)
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Decoded) UnmarshalJSON(text []byte) error {
	*d = Decoded(text)
	return nil
}

// segment decodes one part of a JWT: a JSON object in base64url, else null.
func segment(encoded string) json.RawMessage {
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !json.Valid(text) {
		return json.RawMessage("null")
	}
	return text
}

// Plain is a public value, clipped at 300 characters. It is a copy: value may be a part of a large request, which would
// stay in memory with it.
func Plain(name, value string) Value {
	return Value{Name: name, Text: strings.Clone(clip(value, maxText))}
}

// Secret is a value shown by its first six characters and its length: "aB3x9_… (43 characters)". A secret of at most
// twelve characters is shown by its length only.
func Secret(name, value string) Value {
	return Value{Name: name, Text: mask(value), sum: sumOf(value)}
}

// JWT is a token shown with its header and claims, without its signature. Other text is only masked.
func JWT(name, token string) Value {
	v := Secret(name, token)
	if end := strings.LastIndexByte(token, '.'); strings.Count(token, ".") == 2 && end <= maxToken {
		v.Decoded = Decoded(undecoded + token[:end])
	}
	return v
}

// sumOf is the first eight bytes of the value's SHA-256.
func sumOf(value string) uint64 {
	sum := sha256.Sum256([]byte(value))
	return binary.BigEndian.Uint64(sum[:])
}

func mask(value string) string {
	if value == "" {
		return "(empty)"
	}
	length := utf8.RuneCountInString(value)
	shown := ""
	if length > short {
		shown = head(value, prefix) + "… "
	}
	return shown + "(" + strconv.Itoa(length) + " characters)"
}

// head is the first n characters.
func head(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// clip cuts s at max characters.
func clip(s string, max int) string {
	if len(s) <= max || utf8.RuneCountInString(s) <= max {
		return s
	}
	return head(s, max) + "…"
}

// maskings show the values of these parameters; see masked for other parameters.
var maskings = map[string]func(name, value string) Value{
	"code":             Secret,
	"code_verifier":    Secret,
	"csrf":             Secret,
	"interaction":      Secret,
	"request":          Secret,
	"session_state":    Secret,
	"assertion":        Secret,
	"device_code":      Secret,
	"user_code":        Secret,
	"auth_req_id":      Secret,
	"access_token":     JWT,
	"id_token":         JWT,
	"id_token_hint":    JWT,
	"client_assertion": JWT,
	"logout_token":     JWT,
	"response":         JWT,

	"token_type":      Plain,
	"token_type_hint": Plain,
}

// masked is the value shown as its name allows: plain, as a secret, as a JWT, or hidden for a password.
func masked(name, value string) Value {
	if as, ok := maskings[name]; ok {
		return as(name, value)
	}
	switch lower := strings.ToLower(name); {
	case strings.Contains(lower, "password"):
		return Value{Name: name, Text: "(not shown)"}
	case strings.Contains(lower, "secret"), strings.Contains(lower, "token"):
		return Secret(name, value)
	}
	return Plain(name, value)
}

// Params are the parameters of a request or an answer, masked by name and in the order of their names, at most 50.
func Params(form url.Values) []Value {
	values := make([]Value, 0, min(len(form), maxValues))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			if len(values) < maxValues {
				values = append(values, masked(strings.Clone(clip(name, maxText)), value))
			}
		}
	}
	return values
}
