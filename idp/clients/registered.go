package clients

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

const (
	retention  = 365 * 24 * time.Hour // of a client that registered itself, after its last use
	touchAfter = 30 * 24 * time.Hour  // SeenAt is updated when it is older
	seenFor    = time.Second          // how long a record is cached; another replica may change it meanwhile
	seenAtMost = 1024                 // entries in each cache
	// longestKey is in bytes. Each client_id of this provider and each origin of a web page is shorter, so a longer key
	// is not looked up.
	longestKey = 300
)

// Registered stores the clients that registered themselves (RFC 7591), one record for each, in the store that all
// replicas share. Its methods may be called by many goroutines at once.
type Registered struct {
	records storage.Bucket[Entry]
	origins storage.Bucket[originRecord]
	now     func() time.Time
	seen    *lru.Cache[string, seen]
	allowed *lru.Cache[string, seen]
	seal    keys.Seal // encrypts the secrets of clients with client_secret_jwt, which the provider needs in plain
}

// Entry is the record of a client that registered itself.
type Entry struct {
	stored
	TokenHash    string    `json:"token_hash"` // of the registration access token
	Trusted      bool      `json:"trusted"`    // an initial access token came with the registration
	IssuedAt     time.Time `json:"issued_at"`  // client_id_issued_at
	SeenAt       time.Time `json:"seen_at"`    // when it was last used, or up to touchAfter before
	SealedSecret []byte    `json:"sealed_secret,omitempty"`
}

// NewEntry returns the entry of a client that registers now. token is its registration access token.
func (r *Registered) NewEntry(client oidc.Client, token oidc.Secret) Entry {
	now := r.now()
	return r.With(Entry{TokenHash: token.Hash(), IssuedAt: now, SeenAt: now}, client)
}

// With returns the entry with the client's new metadata.
func (r *Registered) With(e Entry, client oidc.Client) Entry {
	e.stored, e.SealedSecret = newStored(client, ""), nil
	if plain := client.ClientSecret.Plain(); client.TokenEndpointAuthMethod == oidc.AuthMethodSecretJWT && plain != "" {
		e.SealedSecret = r.seal.Close([]byte(plain), client.ClientID)
	}
	return e
}

// Client returns the client of the entry, with its secret.
func (r *Registered) Client(e Entry) (oidc.Client, error) {
	client, err := e.client()
	if err != nil || e.SealedSecret == nil {
		return client, err
	}
	plain, err := r.seal.Open(e.SealedSecret, client.ClientID)
	if err != nil {
		return client, fmt.Errorf("clients: the secret of %s is not readable: it was sealed with a cookie_key that is "+
			"no longer configured: %w", client.ClientID, err)
	}
	client.ClientSecret = oidc.NewSecret(string(plain))
	return client, nil
}

// seen is a cached answer of the store about a client or an origin. err is nil or ErrUnknown.
type seen struct {
	client oidc.Client
	err    error
	at     time.Time
}

// NewRegistered returns the clients in store that registered themselves.
func NewRegistered(store storage.Store, seal keys.Seal, now func() time.Time) *Registered {
	return &Registered{
		records: storage.NewBucket[Entry]("client", store), origins: storage.NewBucket[originRecord]("client-origin", store),
		now: now, seen: newCache[seen](seenAtMost), allowed: newCache[seen](seenAtMost), seal: seal,
	}
}

func newCache[V any](size int) *lru.Cache[string, V] {
	cache, err := lru.New[string, V](size)
	if err != nil {
		panic(err) // the size is positive
	}
	return cache
}

// Add stores a client whose client_id is new. Its origins are stored first: after a crash between the two writes an
// unused origin is left, but no app is unable to read its answers.
func (r *Registered) Add(ctx context.Context, entry Entry) error {
	if err := r.count(ctx, originsOf(entry.stored.Client), 1); err != nil {
		return err
	}
	return r.records.Put(ctx, entry.stored.Client.ClientID, entry, retention)
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

// Replace replaces the entry of the client. It returns ErrUnknown if the client was deleted meanwhile. It adds the new
// origins first and removes the old ones last, so that no origin is missing in between.
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

// Remove deletes the client. It returns ErrUnknown if the client was deleted meanwhile.
func (r *Registered) Remove(ctx context.Context, clientID string) error {
	removed, err := r.update(ctx, clientID, func(*Entry) *Entry { return nil })
	if err != nil {
		return err
	}
	return r.count(ctx, originsOf(removed.stored.Client), -1)
}

// update changes the record of a client that exists, drops it from the cache, and returns the old record.
func (r *Registered) update(ctx context.Context, clientID string, change func(*Entry) *Entry) (was Entry, err error) {
	err = r.records.Update(ctx, clientID, retention, func(old *Entry) (*Entry, error) {
		if old == nil {
			return nil, ErrUnknown
		}
		was = *old
		return change(old), nil
	})
	r.seen.Remove(clientID)
	return was, err
}

// ByID implements Lookup.
func (r *Registered) ByID(ctx context.Context, clientID string) (*oidc.Client, error) {
	if len(clientID) > longestKey {
		return &oidc.Client{}, ErrUnknown
	}
	if was, ok := r.seen.Get(clientID); ok && r.now().Sub(was.at).Abs() < seenFor {
		return &was.client, was.err
	}
	client, err := r.read(ctx, clientID)
	if err == nil || errors.Is(err, ErrUnknown) {
		r.seen.Add(clientID, seen{client, err, r.now()})
	}
	return &client, err
}

// read reads the client from the store, and records that it is used.
func (r *Registered) read(ctx context.Context, clientID string) (oidc.Client, error) {
	entry, err := r.records.Get(ctx, clientID)
	if errors.Is(err, storage.ErrNotFound) {
		return oidc.Client{}, ErrUnknown
	}
	if err != nil {
		return oidc.Client{}, err
	}
	client, err := r.Client(entry)
	if err == nil {
		err = r.touch(ctx, entry)
	}
	return client, err
}

// touch extends the retention of a client that is used.
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
		return nil // it was deleted meanwhile, and the next read will find that
	}
	return err
}

// originRecord counts the clients of one web origin.
type originRecord struct {
	Clients int `json:"clients"`
}

// AllowsOrigin says whether a redirect URI of one of the clients has the origin.
func (r *Registered) AllowsOrigin(ctx context.Context, origin string) (bool, error) {
	if len(origin) > longestKey || origin != oidc.Origin(origin) {
		return false, nil
	}
	key := originKey(origin)
	if was, ok := r.allowed.Get(key); ok && r.now().Sub(was.at).Abs() < seenFor {
		return was.err == nil, nil
	}
	record, err := r.origins.Get(ctx, key)
	switch {
	case errors.Is(err, storage.ErrNotFound), err == nil && record.Clients <= 0:
		err = ErrUnknown
	case err != nil:
		return false, err
	}
	r.allowed.Add(key, seen{err: err, at: r.now()})
	return err == nil, nil
}

// count adds more to the number of clients of each origin.
func (r *Registered) count(ctx context.Context, origins []string, more int) error {
	for _, origin := range origins {
		err := r.origins.Update(ctx, origin, retention, func(old *originRecord) (*originRecord, error) {
			if old == nil {
				old = &originRecord{}
			}
			if old.Clients += more; old.Clients <= 0 {
				return nil, nil
			}
			return old, nil
		})
		if err != nil {
			return err
		}
		r.allowed.Remove(origin)
	}
	return nil
}

// originsOf returns the keys of the origins of the client's redirect URIs, each once.
func originsOf(client oidc.Client) []string {
	var origins []string
	for _, uri := range client.RedirectURIs {
		if origin := oidc.Origin(uri); origin != "" && !slices.Contains(origins, originKey(origin)) {
			origins = append(origins, originKey(origin))
		}
	}
	return origins
}

// originKey returns the origin, a loopback origin without its port: its redirect URIs match with any port (RFC 8252
// §7.3).
func originKey(origin string) string {
	if portless, ok := oidc.WithoutLoopbackPort(origin); ok {
		return portless
	}
	return origin
}
