package fetch

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"
)

const (
	maxDocuments = 256       // in a Cache
	maxCached    = 32 << 10  // bytes of one of them; a larger one is fetched each time
	maxFresh     = time.Hour // whatever the server says
)

// Cache fetches documents and keeps them. Requests for the same document at the same time share one fetch. A document
// is used again while its server allows it (Cache-Control: max-age, RFC 9111 §5.2). If the address has a fragment, it
// is also used again without that, for an hour, because another content has another fragment (Core §6.2). Many
// goroutines may use it.
type Cache struct {
	client    *Client
	now       func() time.Time
	fetching  singleflight.Group
	documents *lru.Cache[string, document] // by address with fragment: another fragment means another content
}

type document struct {
	body    []byte
	expires time.Time
}

// NewCache returns an empty cache of documents that client fetches.
func NewCache(client *Client, now func() time.Time) *Cache {
	documents, err := lru.New[string, document](maxDocuments)
	if err != nil {
		panic(err) // only for a size below 1
	}
	return &Cache{client: client, now: now, documents: documents}
}

// Get returns a document that has one of the media types. Its errors are *Error, or that of ctx.
func (c *Cache) Get(ctx context.Context, address string, types ...string) ([]byte, error) {
	if known, ok := c.documents.Get(address); ok && c.now().Before(known.expires) {
		return known.body, nil
	}
	// Other requests wait for the result too, so it does not end with this one. The fetch has a timeout.
	shared := context.WithoutCancel(ctx)
	result := c.fetching.DoChan(address, func() (any, error) { return c.fetch(shared, address, types) })
	select {
	case r := <-result:
		body, _ := r.Val.([]byte)
		return body, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Cache) fetch(ctx context.Context, address string, types []string) ([]byte, error) {
	body, header, err := c.client.get(ctx, address, types)
	if err != nil {
		return nil, err
	}
	fresh := freshness(header, strings.Contains(address, "#"))
	if fresh > 0 && len(body) <= maxCached {
		c.documents.Add(address, document{body, c.now().Add(fresh)})
	}
	return body, nil
}

// freshness returns how long an answer may be used again. isFixed says that its content does not change.
func freshness(header http.Header, isFixed bool) (fresh time.Duration) {
	if isFixed {
		fresh = maxFresh
	}
	for directive := range strings.SplitSeq(strings.Join(header.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return 0
		case "max-age":
			seconds, _ := strconv.Atoi(strings.Trim(value, `"`)) // RFC 9111 §4.2.1: one that cannot be read is stale
			fresh = time.Duration(min(max(seconds, 0), int(maxFresh/time.Second))) * time.Second
		}
	}
	return fresh
}
