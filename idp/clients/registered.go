package clients

import (
	"context"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

const (
	// registeredKept is how long a client that registered itself is remembered after somebody last used it.
	registeredKept = 365 * 24 * time.Hour
	// touchAfter is how old the note of the last use becomes before it is brought up to date.
	touchAfter = 30 * 24 * time.Hour
	// seenFor is how long what was read counts: so late a replica notices what another one changed.
	seenFor = time.Second
	// seenAtMost bounds what is remembered of the store: the clients and origins that were asked for last.
	seenAtMost = 1024
	// longestKey is more bytes than a client_id of ours or the origin of a web page has. What is longer is not even looked
	// for: who invents names must not fill the memory with them.
	longestKey = 300
)

// Registered holds the clients that registered themselves (RFC 7591), a record each, in the store that all replicas
// share. Its methods may be called by many goroutines at once.
type Registered struct {
	records storage.Bucket[Entry]
	origins storage.Bucket[originRecord]
	now     func() time.Time
	seen    *lru.Cache[string, seen]
	allowed *lru.Cache[string, seen]
	seal    Seal
}

// Seal is a keys.Seal. It encrypts the secrets of clients with client_secret_jwt, the only ones that are needed in
// plain.
type Seal interface {
	Close(text []byte, label string) []byte
	Open(sealed []byte, label string) ([]byte, error)
}

// Entry is a client that registered itself, as it is kept.
type Entry struct {
	stored
	TokenHash    string    `json:"token_hash"` // of the registration access token
	Trusted      bool      `json:"trusted"`    // an initial access token came with the registration
	IssuedAt     time.Time `json:"issued_at"`  // client_id_issued_at
	SeenAt       time.Time `json:"seen_at"`    // when it was last used, or up to touchAfter before
	SealedSecret []byte    `json:"sealed_secret,omitempty"`
}

// NewEntry is a client that registers now and will show token when it comes back to change something.
func (r *Registered) NewEntry(client oidc.Client, token oidc.Secret) Entry {
	now := r.now()
	return r.With(Entry{TokenHash: token.Hash(), IssuedAt: now, SeenAt: now}, client)
}

// With is the entry with the client's new metadata.
func (r *Registered) With(e Entry, client oidc.Client) Entry {
	e.stored, e.SealedSecret = newStored(client, ""), nil
	if plain := client.ClientSecret.Plain(); client.TokenEndpointAuthMethod == oidc.AuthMethodSecretJWT && plain != "" {
		e.SealedSecret = r.seal.Close([]byte(plain), client.ClientID)
	}
	return e
}

// Client is the client as the rest of the provider knows it.
func (r *Registered) Client(e Entry) (oidc.Client, error) {
	client, err := e.client()
	if err != nil || e.SealedSecret == nil {
		return client, err
	}
	plain, err := r.seal.Open(e.SealedSecret, client.ClientID)
	if err != nil {
		return client, fmt.Errorf(
			"clients: the secret of %s is not readable: it was sealed with a cookie_key that is not configured any more: %w",
			client.ClientID,
			err,
		)
	}
	client.ClientSecret = oidc.NewSecret(string(plain))
	return client, nil
}

// seen is what the store said about a client or an origin at a moment.
type seen struct {
	client oidc.Client
	known  bool
	at     time.Time
}

// NewRegistered returns the register that lives in store.
func NewRegistered(store storage.Store, seal Seal, now func() time.Time) *Registered {
	return &Registered{
		records: storage.NewBucket[Entry]("client", store), origins: storage.NewBucket[originRecord]("client-origin", store),
		now: now, seen: newCache(), allowed: newCache(), seal: seal,
	}
}

func newCache() *lru.Cache[string, seen] {
	cache, err := lru.New[string, seen](seenAtMost)
	if err != nil {
		panic(err) // the size is positive
	}
	return cache
}

// Add takes up a client whose client_id is new. Its origins come first: a crash between the two leaves an origin too
// many, and not an app that cannot read its answers.
func (r *Registered) Add(ctx context.Context, entry Entry) error {
	if err := r.count(ctx, originsOf(entry.stored.Client), 1); err != nil {
		return err
	}
	return r.records.Put(ctx, entry.stored.Client.ClientID, entry, registeredKept)
}

// ByToken returns the entry of the client if token is its registration access token, else ErrUnknown.
func (r *Registered) ByToken(ctx context.Context, clientID, token string) (Entry, error) {
	entry, err := r.records.Get(ctx, clientID)
	if errors.Is(err, storage.ErrNotFound) {
		return Entry{}, ErrUnknown
	}
	if err != nil {
		return Entry{}, err
	}
	hash, err := oidc.SecretFromHash(entry.TokenHash)
	if err == nil && !hash.Matches(token) {
		return Entry{}, ErrUnknown
	}
	return entry, err
}

// Replace puts the changed entry in the place of the one that is there. It returns ErrUnknown if the client was deleted
// meanwhile. Its new origins are counted before, and its old ones taken away after, so that at no moment one is
// missing.
func (r *Registered) Replace(ctx context.Context, changed Entry) error {
	changed.SeenAt = r.now()
	if err := r.count(ctx, originsOf(changed.stored.Client), 1); err != nil {
		return err
	}
	replaced, err := r.update(ctx, changed.stored.Client.ClientID, func(*Entry) *Entry { return &changed })
	if errors.Is(err, ErrUnknown) {
		return errors.Join(err, r.count(ctx, originsOf(changed.stored.Client), -1))
	}
	if err != nil {
		return err
	}
	return r.count(ctx, originsOf(replaced.stored.Client), -1)
}

// Remove deletes the client. It returns ErrUnknown if that was done meanwhile.
func (r *Registered) Remove(ctx context.Context, clientID string) error {
	removed, err := r.update(ctx, clientID, func(*Entry) *Entry { return nil })
	if err != nil {
		return err
	}
	return r.count(ctx, originsOf(removed.stored.Client), -1)
}

// update changes the record of a client that is there, and forgets what was seen of it. It returns what the record was.
func (r *Registered) update(ctx context.Context, clientID string, change func(*Entry) *Entry) (was Entry, err error) {
	err = r.records.Update(ctx, clientID, registeredKept, func(old *Entry) (*Entry, error) {
		if old == nil {
			return nil, ErrUnknown
		}
		was = *old
		return change(old), nil
	})
	r.seen.Remove(clientID)
	return was, err
}

// ByID returns the client with this client_id, or ErrUnknown.
func (r *Registered) ByID(ctx context.Context, clientID string) (oidc.Client, error) {
	if len(clientID) > longestKey {
		return oidc.Client{}, ErrUnknown
	}
	if was, ok := r.seen.Get(clientID); ok && r.now().Sub(was.at) < seenFor {
		return was.answer()
	}
	entry, err := r.records.Get(ctx, clientID)
	if errors.Is(err, storage.ErrNotFound) {
		return r.note(clientID, oidc.Client{}, false)
	}
	if err != nil {
		return oidc.Client{}, err
	}
	client, err := r.Client(entry)
	if err != nil {
		return oidc.Client{}, err
	}
	if err := r.touch(ctx, entry); err != nil {
		return oidc.Client{}, err
	}
	return r.note(clientID, client, true)
}

func (r *Registered) note(clientID string, client oidc.Client, known bool) (oidc.Client, error) {
	is := seen{client, known, r.now()}
	r.seen.Add(clientID, is)
	return is.answer()
}

func (s seen) answer() (oidc.Client, error) {
	if !s.known {
		return oidc.Client{}, ErrUnknown
	}
	return s.client, nil
}

// touch keeps the records of a client that is used.
func (r *Registered) touch(ctx context.Context, entry Entry) error {
	if r.now().Sub(entry.SeenAt) < touchAfter {
		return nil
	}
	if err := r.count(ctx, originsOf(entry.stored.Client), 0); err != nil {
		return err
	}
	_, err := r.update(ctx, entry.stored.Client.ClientID, func(old *Entry) *Entry {
		old.SeenAt = r.now()
		return old
	})
	if errors.Is(err, ErrUnknown) {
		return nil // it was deleted meanwhile, and the next look will see that
	}
	return err
}
