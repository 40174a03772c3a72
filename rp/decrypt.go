package rp

import (
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// contentEncryptions are those that a token may be encrypted with (RFC 7518 §5.1).
var contentEncryptions = []jose.ContentEncryption{jose.A128CBC_HS256, jose.A192CBC_HS384, jose.A256CBC_HS512, jose.A128GCM, jose.A192GCM, jose.A256GCM}

// decrypt returns the signed JWT inside an encrypted one (Core §10.2: "signed and then encrypted"), and any other as it is: that it is signed
// is checked afterwards in either case.
func (p *RP) decrypt(raw string) (string, error) {
	if strings.Count(raw, ".") != 4 { // RFC 7516 §3.1
		return raw, nil
	}
	for _, key := range p.config.DecryptionKeys {
		object, err := jose.ParseEncryptedCompact(raw, []jose.KeyAlgorithm{jose.KeyAlgorithm(key.Algorithm)}, contentEncryptions)
		if err != nil || (object.Header.KeyID != "" && object.Header.KeyID != key.KeyID) {
			continue
		}
		if plain, err := object.Decrypt(key); err == nil {
			return string(plain), nil
		}
	}
	return "", errors.New("it is encrypted, and to none of DecryptionKeys by its own alg")
}
