package clients

import (
	"context"
	"errors"
	"slices"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// originRecord counts the clients of one web origin.
type originRecord struct {
	Clients int `json:"clients"`
}

// AllowsOrigin tells whether the origin is that of a redirect URI of one of the clients.
func (r *Registered) AllowsOrigin(ctx context.Context, origin string) (bool, error) {
	if len(origin) > longestKey || origin != oidc.Origin(origin) {
		return false, nil
	}
	key := originKey(origin)
	if was, ok := r.allowed.Get(key); ok && r.now().Sub(was.at) < seenFor {
		return was.known, nil
	}
	record, err := r.origins.Get(ctx, key)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	r.allowed.Add(key, seen{known: record.Clients > 0, at: r.now()})
	return record.Clients > 0, nil
}

// count notes that so many clients more, or less, are of the origins.
func (r *Registered) count(ctx context.Context, origins []string, more int) error {
	for _, origin := range origins {
		err := r.origins.Update(ctx, origin, registeredKept, func(old *originRecord) (*originRecord, error) {
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

// originsOf are the keys of the origins of the client's redirect URIs, each once.
func originsOf(client oidc.Client) []string {
	var origins []string
	for _, uri := range client.RedirectURIs {
		if origin := oidc.Origin(uri); origin != "" && !slices.Contains(origins, originKey(origin)) {
			origins = append(origins, originKey(origin))
		}
	}
	return origins
}

// originKey is the origin, of a loopback one without its port: a redirect URI there matches with any (RFC 8252 §7.3).
func originKey(origin string) string {
	if portless, ok := oidc.WithoutLoopbackPort(origin); ok {
		return portless
	}
	return origin
}
