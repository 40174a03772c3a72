package device

import (
	"crypto/sha256"
	"strings"
)

// letters is the character set of RFC 8628 §6.1: no vowels, so no words, and no letters that look alike.
const letters = "BCDFGHJKLMNPQRSTVWXZ"

// codeLetters is the length of a code: there are 20^8 codes.
const codeLetters = 8

// newUserCode makes a code such as WDJB-MJHT from random. It skips bytes that would make some letters likelier than
// others.
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

// normalize reads a typed code. RFC 8628 §6.1: the server should ignore characters outside the character set, "such as
// by stripping dashes and other punctuation", and case.
func normalize(typed string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
}

// formatted is the code with a dash in its middle.
func formatted(typed string) string {
	code := normalize(typed)
	if len(code) != codeLetters {
		return typed
	}
	return code[:codeLetters/2] + "-" + code[codeLetters/2:]
}
