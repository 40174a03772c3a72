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

// CodeLifetime is how long a code may be redeemed, unless development mode says otherwise. RFC 6749 §4.1.2: "A maximum
// authorization code lifetime of 10 minutes is RECOMMENDED"; FAPI 2.0 allows one minute, enough for a redirect.
const CodeLifetime = 60 * time.Second

// marksBucket is the name of the bucket of marks and their ID. storage/bolt stores records of this name in memory.
const marksBucket = "code"

// Errors of Redeem.
var (
	ErrUnknown  = errors.New("grant: no such code")
	ErrReplayed = errors.New("grant: the code was redeemed before")

	errLate = errors.New("grant: the code is too old for a mark")
)

// Issue returns a code that stands for the grant for g.CodeLifetime. It fills in ID, GrantedAt and ExpiresAt. It
// returns the error of the store if the ID of the marks cannot be read, and an error if there is no secret.
func (g *Grants) Issue(ctx context.Context, grant Grant) (code string, err error) {
	grant.ID, grant.GrantedAt, grant.ExpiresAt = g.Random(), g.Now(), g.Now().Add(g.CodeLifetime)
	return g.codes.seal(ctx, grant)
}

// Redeem spends the code and returns its grant; the caller then judges whether the client may get it, and whether the
// code has expired. For an unknown code it returns ErrUnknown. For a spent code it revokes the grant and returns
// ErrReplayed. It returns the error of the store if the ID of the marks cannot be read, or the mark cannot be written.
//
// tokenLifetime is the maximum lifetime of the access tokens. The mark is stored until the code and the access tokens
// have expired, and for ClockError more, for replicas whose clock is behind. If the code expired more than ClockError
// ago, Redeem makes no mark. Otherwise a person that finds the code in a log could revoke the grant by two requests.
func (g *Grants) Redeem(ctx context.Context, code string, tokenLifetime time.Duration) (Grant, error) {
	granted, err := g.codes.open(ctx, code)
	if err != nil {
		return Grant{}, err
	}
	spent, mark := Mark{}, Mark{Spent: int64((tokenLifetime + time.Second - 1) / time.Second)}
	left := granted.ExpiresAt.Sub(g.Now()) + ClockError
	key, kept := storage.GroupKey(marksGroup, granted.ID), max(tokenLifetime+ClockError, left)
	err = g.Marks.Update(ctx, key, kept, func(old *Mark) (*Mark, error) {
		switch {
		case old != nil:
			spent = *old
			return nil, ErrReplayed
		case left <= 0:
			return nil, errLate
		}
		return &mark, nil
	})
	switch {
	case errors.Is(err, ErrReplayed):
		return g.replayed(ctx, granted.ID, spent)
	case err != nil && !errors.Is(err, errLate):
		return Grant{}, err
	}
	return granted, nil
}

// replayed revokes the grant with this id, the mark of whose code is spent. Its tokens live as long as the mark says.
// The first use may get them a moment later, or by a clock that is ahead: so the revocation lasts longer by ClockError.
// It returns ErrReplayed, or the error of the revocation.
func (g *Grants) replayed(ctx context.Context, id string, spent Mark) (Grant, error) {
	if err := g.end(ctx, id, g.Now().Add(time.Duration(spent.Spent)*time.Second+ClockError)); err != nil {
		return Grant{}, err
	}
	return Grant{ID: id}, ErrReplayed
}

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
// removed, and of codes that were spent before the clock was set back by more than the life of their marks.
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

// cipherOf makes no keys.Seal, because that has random nonces of 96 bits. A busy provider issues so many codes that two
// of them could have the same nonce. A nonce of XChaCha20-Poly1305 has 192 bits.
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

// seal returns the code of a grant. The nonce is a hash of the grant's ID, which is random. So no two codes have the
// same nonce.
func (c codes) seal(ctx context.Context, g Grant) (string, error) {
	marksID, err := c.marksID.Make(ctx, c.random)
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
	nonce := sha256.Sum256([]byte(id))
	box := c.secrets[0].Seal(text[:0], nonce[:chacha20poly1305.NonceSizeX], text, []byte(*marksID))
	return string(base64.RawURLEncoding.AppendEncode(append([]byte(id), '.'), box)), nil
}

// open returns the grant of a code that seal made with one of the secrets and with the present ID of the marks. For any
// other text it returns ErrUnknown. If the ID cannot be read it returns the error of the store.
func (c codes) open(ctx context.Context, code string) (Grant, error) {
	marksID, err := c.marksID.Make(ctx, c.random)
	if err != nil {
		return Grant{}, err
	}
	id, encoded, _ := strings.Cut(code, ".")
	box, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || strings.ContainsAny(code, "\r\n") { // which the decoder ignores
		return Grant{}, ErrUnknown
	}
	nonce := sha256.Sum256([]byte(id))
	for _, secret := range c.secrets {
		text, err := secret.Open(nil, nonce[:chacha20poly1305.NonceSizeX], box, []byte(*marksID))
		if err == nil {
			g := Grant{}
			_, err = g.UnmarshalMsg(text)
			g.ID = id
			return g, err
		}
	}
	return Grant{}, ErrUnknown
}
