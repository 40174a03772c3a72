package grant

import (
	"context"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/hush-idp/hush/storage"
)

// codes seals grants into authorization codes and opens the codes.
//
// A code is the ID of the grant, a dot, and the encrypted grant, about 500 characters. RFC 6749 §4.1.2: "The client
// should avoid making assumptions about code value sizes." The provider stores nothing about a code that was not
// redeemed. So a browser that asks again and again takes no memory, and a silent /authorize writes no record for the
// code.
//
// Only its mark says that a code is spent. So codes are bound to a random ID that is stored beside the marks. A store
// that loses all marks loses this ID too. The provider then makes a new ID, and after marksIDAge it opens no code from
// before. A store that was put back to an older state has the same ID and fewer marks, so that codes which were spent
// meanwhile open again for the rest of their lifetime. The same is true of marks that a failover or an eviction
// removed.
type codes struct {
	secrets []cipher.AEAD // the first encrypts, all decrypt
	marksID *storage.Cell[string]
	random  func() string
}

// marksGroup is the group of all marks and of their ID. One server of a Cluster stores them all. So a server that loses
// its records loses the marks and the ID together. The server needs some microseconds for a mark.
const marksGroup = "marks"

var errNoSecret = errors.New("grant: no secret to encrypt a code with")

// marksIDAge is how long a provider may miss that the store lost the marks.
const marksIDAge = time.Second

func newCodes(store storage.Store, secrets [][]byte, now func() time.Time, random func() string) codes {
	place := storage.Place{Store: store, Now: now, Age: marksIDAge}
	c := codes{marksID: storage.NewCell[string](place, marksBucket, storage.GroupKey(marksGroup, "id")), random: random}
	for _, secret := range secrets {
		c.secrets = append(c.secrets, cipherOf(secret))
	}
	return c
}

func cipherOf(secret []byte) cipher.AEAD {
	key, err := hkdf.Key(sha256.New, secret, nil, "hush: authorization codes", chacha20poly1305.KeySize)
	if err != nil {
		panic(err) // which happens for a longer key only
	}
	made, err := chacha20poly1305.NewX(key)
	if err != nil {
		panic(err) // which happens for a key of another size only
	}
	return made
}

// seal returns the code of a grant.
func (c codes) seal(ctx context.Context, g Grant) (string, error) {
	marksID, err := c.currentMarksID(ctx)
	if err != nil {
		return "", err
	}
	if len(c.secrets) == 0 {
		return "", errNoSecret
	}
	id := g.ID
	g.ID = "" // the code begins with it
	text, err := g.MarshalMsg(nil)
	if err != nil {
		return "", err
	}
	box := c.secrets[0].Seal(text[:0], nonce(id), text, []byte(marksID))
	return string(base64.RawURLEncoding.AppendEncode(append([]byte(id), '.'), box)), nil
}

// currentMarksID makes an ID if the store has none.
func (c codes) currentMarksID(ctx context.Context) (string, error) {
	if err := c.marksID.CatchUp(ctx); err != nil {
		return "", err
	}
	id := c.marksID.View()
	if id == nil {
		var err error
		if id, err = c.marksID.Make(ctx, c.random); err != nil {
			return "", err
		}
	}
	return *id, nil
}

// nonce returns the nonce of the code with this ID. The ID is random, so no two codes have the same nonce.
func nonce(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:chacha20poly1305.NonceSizeX]
}

// open returns the grant of a code that seal made with one of the secrets and with the present ID of the marks. For any
// other text it returns ErrUnknown. If the ID cannot be read it returns the error of the store.
func (c codes) open(ctx context.Context, code string) (Grant, error) {
	marksID, err := c.currentMarksID(ctx)
	if err != nil {
		return Grant{}, err
	}
	id, encoded, _ := strings.Cut(code, ".")
	box, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(code, "\r\n") { // which the decoder ignores
		return Grant{}, ErrUnknown
	}
	for _, secret := range c.secrets {
		if text, err := secret.Open(nil, nonce(id), box, []byte(marksID)); err == nil {
			g := Grant{}
			_, err = g.UnmarshalMsg(text)
			g.ID = id
			return g, err
		}
	}
	return Grant{}, ErrUnknown
}
