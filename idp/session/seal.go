package session

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/oidc"
)

// Seal encrypts values of one type for one purpose and reads them back.
type Seal[T any] struct {
	Purpose string
	SealTerms
}

// SealTerms are common to the seals of a provider.
type SealTerms struct {
	Issuer   string        // that seals, and alone opens; empty: all issuers with the same Secrets
	Secrets  [][]byte      // the first encrypts, all decrypt
	Lifetime time.Duration // how long a sealed value opens
	Now      func() time.Time
}

// sealed is the encrypted text.
type sealed[T any] struct {
	Value     T         `json:"value"`
	ExpiresAt time.Time `json:"exp"`
}

// ErrStale is in the error of a sealed value that is too old or was not sealed by this provider.
var ErrStale = errors.New("the sealed value cannot be opened")

// longText is the length in bytes from which a text is compressed before the encryption (RFC 7516 §4.1.3). Proxies
// limit the length of a redirect, often to 4 KiB or 8 KiB. A compressor takes 1.2 MB of memory, so a short text has
// none.
const longText = 1 << 10

// Close returns the value as an opaque string fit for a URL: a JWE (RFC 7516 §3.1). A value may be as long as a
// request.
func (s Seal[T]) Close(value T) (string, error) {
	key, err := s.key(s.Secrets[0])
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(sealed[T]{value, s.Now().Add(s.Lifetime)})
	if err != nil {
		return "", err
	}
	options := &jose.EncrypterOptions{Compression: jose.NONE}
	if len(text) >= longText {
		options.Compression = jose.DEFLATE
	}
	recipient := jose.Recipient{Algorithm: jose.DIRECT, Key: key}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, recipient, options)
	if err != nil {
		return "", err
	}
	jwe, err := encrypter.Encrypt(text)
	if err != nil {
		return "", err
	}
	return jwe.CompactSerialize()
}

// key derives the key of the purpose and the issuer from a secret. So a value that was sealed for one purpose opens for
// no other, and a value of one issuer opens at no other issuer of the process (RFC 5869 §3.2).
func (s Seal[T]) key(secret []byte) ([]byte, error) {
	info := "hush: sealed for " + s.Purpose
	if s.Issuer != "" {
		info += " at " + s.Issuer
	}
	return hkdf.Key(sha256.New, secret, nil, info, sha256.Size)
}

// URL is the path with the sealed value in its query.
func (s Seal[T]) URL(path string, value T) (string, error) {
	text, err := s.Close(value)
	return InteractionURL(path, text), err
}

// InteractionURL is the path with an already sealed value in its query.
func InteractionURL(path, sealed string) string {
	return path + "?" + url.Values{InteractionParam: {sealed}}.Encode()
}

// Open reads a string that Close returned. For any other string it returns an invalid_request with advice for the
// person.
func (s Seal[T]) Open(text string) (T, error) {
	opened, err := s.decrypt(text)
	if err == nil && !s.Now().Before(opened.ExpiresAt) {
		err = errors.New("it is too old")
	}
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrStale, err)
		var none T
		return none, oidc.InvalidRequest.Errorf("this page belongs to no sign-in that the provider knows: " +
			"it was changed, is too old, or the provider was restarted; go back to the application and start again").Because(err)
	}
	return opened.Value, nil
}

func (s Seal[T]) decrypt(text string) (opened sealed[T], err error) {
	jwe, err := jose.ParseEncryptedCompact(text, []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return opened, err
	}
	for _, secret := range s.Secrets {
		var key, plain []byte
		if key, err = s.key(secret); err != nil {
			return opened, err
		}
		if plain, err = jwe.Decrypt(key); err == nil {
			return opened, json.Unmarshal(plain, &opened)
		}
	}
	return opened, err
}
