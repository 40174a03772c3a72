package trace

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
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
	usualSize = 2048 // bytes of all texts of a request
	prefix    = 6    // characters that are shown of a secret
	short     = 12   // a secret of so many characters, or fewer, shows none

	lengthOfMask = 48 // bytes, at most: the prefix, the dots and the length
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
func Plain(name, value string) Value { return new(sheet).value(name, value, plain) }

// Secret is a value shown by its first six characters and its length: "aB3x9_… (43 characters)". A secret of at most
// twelve characters is shown by its length only.
func Secret(name, value string) Value { return sheetFor(lengthOfMask).value(name, value, secret) }

// JWT is a token shown with its header and claims, without its signature. Other text is only masked.
func JWT(name, token string) Value { return sheetFor(lengthOfMask).value(name, token, jwt) }

// manner is the way in which a value is shown.
type manner int

const (
	plain manner = iota
	secret
	jwt
	hidden
)

// sheet is the memory that the texts of several values share: one allocation for all of them. Texts that were written
// stay as they are when more is written.
type sheet struct{ strings.Builder }

// sheetFor is a sheet for so many bytes; for more of them it allocates again.
func sheetFor(bytes int) *sheet {
	s := &sheet{}
	s.Grow(bytes)
	return s
}

// value writes the text of a value. Nothing of it refers to the memory of the request.
func (s *sheet) value(name, value string, as manner) Value {
	switch as {
	case secret:
		return Value{Name: name, Text: s.mask(value), sum: sumOf(value)}
	case jwt:
		v := s.value(name, value, secret)
		if end := strings.LastIndexByte(value, '.'); strings.Count(value, ".") == 2 && end <= maxToken {
			v.Decoded = Decoded(undecoded + value[:end])
		}
		return v
	case hidden:
		return Value{Name: name, Text: "(not shown)"}
	}
	return Value{Name: name, Text: s.copied(clip(value, maxText))}
}

// copied writes the text.
func (s *sheet) copied(text string) string {
	from := s.Len()
	s.WriteString(text)
	return s.String()[from:]
}

func (s *sheet) mask(value string) string {
	if value == "" {
		return "(empty)"
	}
	from, length := s.Len(), utf8.RuneCountInString(value)
	if length > short {
		s.WriteString(head(value, prefix))
		s.WriteString("… ")
	}
	s.WriteByte('(')
	s.WriteString(strconv.Itoa(length))
	s.WriteString(" characters)")
	return s.String()[from:]
}

// sumOf is the first eight bytes of the value's SHA-256.
func sumOf(value string) uint64 {
	var place [1024]byte // on the stack: usual values and tokens fit
	sum := sha256.Sum256(append(place[:0], value...))
	return binary.BigEndian.Uint64(sum[:])
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

// manners are those of these parameters; see mannerOf for other parameters.
var manners = map[string]manner{
	"code":             secret,
	"code_verifier":    secret,
	"csrf":             secret,
	"interaction":      secret,
	"request":          secret,
	"session_state":    secret,
	"assertion":        secret,
	"device_code":      secret,
	"user_code":        secret,
	"auth_req_id":      secret,
	"access_token":     jwt,
	"id_token":         jwt,
	"id_token_hint":    jwt,
	"client_assertion": jwt,
	"logout_token":     jwt,
	"response":         jwt,

	"token_type":      plain,
	"token_type_hint": plain,
}

// mannerOf says how a parameter of this name is shown. Nothing is shown of a password.
func mannerOf(name string) manner {
	if as, ok := manners[name]; ok {
		return as
	}
	switch lower := strings.ToLower(name); {
	case strings.Contains(lower, "password"):
		return hidden
	case strings.Contains(lower, "secret"), strings.Contains(lower, "token"):
		return secret
	}
	return plain
}

// Params are the parameters of a request or an answer, masked by name and in the order of their names, at most 50.
func Params(form url.Values) []Value {
	var usual [16]string
	names, count, size := usual[:0], 0, 0
	for name, values := range form {
		names, count, size = append(names, name), count+len(values), size+len(name)
		for _, value := range values {
			size += min(len(value), maxText)
		}
	}
	slices.Sort(names)
	all, texts := make([]Value, 0, min(count, maxValues)), sheetFor(min(size, usualSize))
	for _, name := range names {
		if len(all) == maxValues {
			break
		}
		own, as := texts.copied(clip(name, maxText)), mannerOf(name)
		for _, value := range form[name][:min(len(form[name]), maxValues-len(all))] {
			all = append(all, texts.value(own, value, as))
		}
	}
	return all
}
