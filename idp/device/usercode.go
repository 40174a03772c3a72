package device

import (
	"crypto/sha256"
	"strings"
)

// letters are those of RFC 8628 §6.1: without vowels no words come about, and nothing looks like something else.
const letters = "BCDFGHJKLMNPQRSTVWXZ"

// codeLetters make 20^8 codes.
const codeLetters = 8

// newUserCode is a code such as WDJB-MJHT, of what random has to give. Bytes that would make some letters likelier than others do not
// count.
func newUserCode(random func() string) string {
	var code strings.Builder
	for code.Len() <= codeLetters {
		for _, b := range sha256.Sum256([]byte(random())) {
			if int(b) >= 256/len(letters)*len(letters) || code.Len() > codeLetters {
				continue
			}
			if code.Len() == codeLetters/2 {
				code.WriteByte('-')
			}
			code.WriteByte(letters[int(b)%len(letters)])
		}
	}
	return code.String()
}

// normalize reads what a person typed. RFC 8628 §6.1: the server should ignore characters outside the character set, "such as by
// stripping dashes and other punctuation", and case.
func normalize(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// shown is the code with the dash in its middle.
func shown(typed string) string {
	code := normalize(typed)
	if len(code) != codeLetters {
		return typed
	}
	return code[:codeLetters/2] + "-" + code[codeLetters/2:]
}
