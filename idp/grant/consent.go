package grant

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// consentRetention is how long a user's consents are stored after the last one.
const consentRetention = 365 * 24 * time.Hour

// maxConsents limits the consents of a user, because any number of clients may register themselves. A new consent
// beyond it replaces the oldest consent, whose client must ask again.
const maxConsents = 500

// Consent is the scope that a client may get without asking the user again (Core §3.1.2.4).
type Consent struct {
	Scope     oidc.Scope `json:"scope"`
	GrantedAt time.Time  `json:"granted_at"`
}

// Consents stores consents: one record for each user, by client_id.
type Consents struct {
	Records storage.Bucket[map[string]Consent]
	Grants  *Grants // Forget revokes the refresh tokens of the consent; nil: there are none
	Now     func() time.Time
}

// Of returns the consents of the user by client_id, or an empty map.
func (c *Consents) Of(ctx context.Context, sub string) (map[string]Consent, error) {
	consents, err := c.Records.Get(ctx, sub)
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	return consents, err
}

// Remember adds scope to the consent of the user for the client.
func (c *Consents) Remember(ctx context.Context, sub, clientID string, scope oidc.Scope) error {
	return c.Records.Update(ctx, sub, consentRetention, func(old *map[string]Consent) (*map[string]Consent, error) {
		if old == nil || *old == nil { // the record is "null"
			old = &map[string]Consent{}
		}
		union := append((*old)[clientID].Scope, scope...)
		(*old)[clientID] = Consent{Scope: oidc.ParseScope(union.String()), GrantedAt: c.Now()}
		for len(*old) > maxConsents {
			delete(*old, oldest(*old))
		}
		return old, nil
	})
}

// oldest returns the client_id of the oldest consent.
func oldest(consents map[string]Consent) string {
	return slices.MinFunc(slices.Sorted(maps.Keys(consents)), func(a, b string) int {
		return consents[a].GrantedAt.Compare(consents[b].GrantedAt)
	})
}

// Forget removes the consent for the client and revokes its refresh tokens. The client must ask again.
func (c *Consents) Forget(ctx context.Context, sub, clientID string) error {
	err := c.Records.Update(ctx, sub, storage.KeepTTL, func(old *map[string]Consent) (*map[string]Consent, error) {
		if old != nil {
			delete(*old, clientID)
		}
		if old == nil || len(*old) == 0 {
			return nil, nil
		}
		return old, nil
	})
	if err != nil || c.Grants == nil {
		return err
	}
	return c.Grants.RevokeClient(ctx, sub, clientID)
}
