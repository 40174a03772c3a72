package par

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/hush-idp/hush/storage"
)

// urn is how every request_uri of ours begins (RFC 9126 §2.2).
const urn = "urn:ietf:params:oauth:request_uri:"

// spentKept is longer than a person may take on the pages between.
const spentKept = 25 * time.Hour

// Request is the record of a pushed request. Once spent it is a tombstone without the parameters.
type Request struct {
	ClientID  string     `json:"client_id,omitempty"`
	Params    url.Values `json:"params,omitempty"`
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
	SpentAt   time.Time  `json:"spent_at,omitzero"`
	// FromObject: the parameters came in a signed request object.
	FromObject bool `json:"from_object,omitempty"`
}

// What Open and Spend answer for a request_uri that yields nothing.
var (
	ErrUnknown = errors.New("par: no such request")
	ErrExpired = errors.New("par: the request expired")
	ErrSpent   = errors.New("par: the request was used before")
)

// Requests keeps them.
type Requests struct {
	Records  storage.Bucket[Request]
	Lifetime time.Duration // RFC 9126 §2.2: "between 5 and 600 seconds"
	Now      func() time.Time
	Random   func() string // 128 bits or more
}

// Is tells whether requestURI has the form of ours.
func Is(requestURI string) bool { return strings.HasPrefix(requestURI, urn) }

// Push keeps the request for Lifetime, which it returns. It fills in ExpiresAt. RFC 9126 §2.2: the request_uri "MUST contain some part generated
// using a cryptographically strong pseudorandom algorithm such that it is computationally infeasible to predict or guess a
// valid value".
func (r *Requests) Push(ctx context.Context, request Request) (requestURI string, lifetime time.Duration, err error) {
	request.ExpiresAt = r.Now().Add(r.Lifetime)
	requestURI = urn + r.Random() + r.Random()
	return requestURI, r.Lifetime, r.Records.Put(ctx, requestURI, request, 2*r.Lifetime)
}

// Open returns the request as often as it is asked, until it is spent or expires. RFC 9126 §2.2: the request_uri "MUST be bound
// to the client that posted the authorization request": another's is ErrUnknown.
func (r *Requests) Open(ctx context.Context, requestURI, clientID string) (Request, error) {
	request, err := r.Records.Get(ctx, requestURI)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return Request{}, ErrUnknown
	case err != nil:
		return Request{}, err
	case !request.SpentAt.IsZero():
		return Request{}, ErrSpent
	case request.ClientID != clientID:
		return Request{}, ErrUnknown
	case !r.Now().Before(request.ExpiresAt):
		return Request{}, ErrExpired
	}
	return request, nil
}

// Spend lets one of all that ask go on to a code; the others get ErrSpent. The record itself may have expired meanwhile.
func (r *Requests) Spend(ctx context.Context, requestURI string) error {
	return r.Records.Update(ctx, requestURI, spentKept, func(old *Request) (*Request, error) {
		if old != nil && !old.SpentAt.IsZero() {
			return nil, ErrSpent
		}
		return &Request{SpentAt: r.Now()}, nil
	})
}
