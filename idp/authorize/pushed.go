package authorize

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// PushResponse is the answer to a pushed request (RFC 9126 §2.2).
type PushResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// servePush is POST /par. A client that uses DPoP gets a nonce for its next proof, with an error too.
func (e *Endpoint) servePush(w http.ResponseWriter, r *http.Request) error {
	if usesDPoP(r) {
		e.Proofs.GiveNonce(w, r)
	}
	response, err := e.Push(r)
	if err != nil {
		return err
	}
	return oidc.WriteJSON(w, http.StatusCreated, response)
}

func usesDPoP(r *http.Request) bool { return len(r.Header.Values(dpop.Header)) > 0 }

// Push takes a pushed authorization request (RFC 9126 §2.1): it finds out which client is asking, judges the request by
// everything that /authorize will judge it by before it looks at a person, and stores it. Its errors are *oidc.Error,
// or server errors.
// https://www.rfc-editor.org/rfc/rfc9126#section-2.1
func (e *Endpoint) Push(r *http.Request) (PushResponse, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return PushResponse{}, err
	}
	client, err := e.Auth.Authenticate(r, form)
	if err != nil {
		return PushResponse{}, err
	}
	return e.pushOf(r, client, form)
}

func (e *Endpoint) pushOf(r *http.Request, client oidc.Client, form url.Values) (PushResponse, error) {
	request, err := e.readPushed(r, client, form)
	if err != nil {
		return PushResponse{}, err
	}
	address, err := e.returnAddress(r.Context(), request.Params)
	if err != nil {
		return PushResponse{}, err
	}
	judged, err := e.parse(r.Context(), address.client, request.Params, e.Now())
	if err != nil {
		return PushResponse{}, err
	}
	judged.Pushed, judged.FromObject = true, request.FromObject
	if err := rules.Judge(r.Context(), judged); err != nil {
		return PushResponse{}, err
	}
	uri, lifetime, err := e.Pushed.Push(r.Context(), request)
	return PushResponse{RequestURI: uri, ExpiresIn: int(lifetime / time.Second)}, err
}

// ofTheClient are parameters that authenticate the client. They are no part of the authorization request.
var ofTheClient = []string{"client_secret", "client_assertion", "client_assertion_type"}

// readPushed takes the authorization request out of the form. RFC 9126 §2.1: request_uri "MUST NOT be provided in this
// case"; §3: with a request object, "all other request parameters […] MUST appear as claims of the JWT", but for the
// client's credentials.
func (e *Endpoint) readPushed(r *http.Request, client oidc.Client, form url.Values) (PushedRequest, error) {
	if form.Get("request_uri") != "" {
		return PushedRequest{}, oidc.InvalidRequest.Errorf(
			"request_uri came to the endpoint that gives them (RFC 9126 §2.1): push the parameters themselves")
	}
	request := PushedRequest{ClientID: client.ClientID, Params: url.Values{}}
	for name, values := range form {
		request.Params[name] = values
	}
	for _, name := range ofTheClient {
		request.Params.Del(name)
	}
	request.Params.Set("client_id", client.ClientID)
	if compact := form.Get("request"); compact != "" {
		object, err := e.Objects.Read(r.Context(), client, compact)
		if err != nil {
			return PushedRequest{}, err
		}
		request.Params, request.FromObject = object.Params, object.Signed
	}
	return request, e.bindToKey(r, client, request.Params)
}

// bindToKey: RFC 9449 §10.1: a client may send a DPoP proof with the pushed request instead of dpop_jkt; "If both
// mechanisms are used at the same time, the authorization server MUST reject the request if the JWK Thumbprint in
// dpop_jkt does not match the public key in the DPoP header."
func (e *Endpoint) bindToKey(r *http.Request, client oidc.Client, params url.Values) error {
	if !usesDPoP(r) {
		return nil
	}
	jkt, err := e.Proofs.Proof(r, client)
	if err != nil || jkt == "" {
		return err
	}
	if given := params.Get("dpop_jkt"); given != "" && given != jkt {
		return oidc.InvalidDPoPProof.Errorf(
			"dpop_jkt is not the thumbprint of the key in the DPoP header (RFC 9449 §10.1): send one of the two")
	}
	params.Set("dpop_jkt", jkt)
	return nil
}

// urn is the beginning of every request_uri of this provider (RFC 9126 §2.2).
const urn = "urn:ietf:params:oauth:request_uri:"

// spentRetention is longer than a person may take on the pages between.
const spentRetention = 25 * time.Hour

// PushedRequest is the record of a pushed request. Once spent it is a tombstone without the parameters.
type PushedRequest struct {
	ClientID  string     `json:"client_id,omitempty"`
	Params    url.Values `json:"params,omitempty"`
	ExpiresAt time.Time  `json:"expires_at,omitzero"`
	SpentAt   time.Time  `json:"spent_at,omitzero"`
	// FromObject: the parameters came in a signed request object.
	FromObject bool `json:"from_object,omitempty"`
}

// What Open and Spend answer for a request_uri that yields nothing.
var (
	errNotPushed   = errors.New("authorize: no such request")
	errPushExpired = errors.New("authorize: the request expired")
	errPushSpent   = errors.New("authorize: the request was used before")
)

// PushedRequests stores authorization requests that clients pushed (RFC 9126), from the push until there is a code.
//
// A request_uri is spent when a code is issued and not when the browser first brings it: FAPI 2.0 §5.3.2.2 wants
// "one-time use of request_uri values at the point of authorization, not at the point of loading an authorization
// page", since browsers load pages twice. The request itself travels through the pages in the browser, so its record
// may expire before the person is done; the tombstone is made all the same, and outlives every page that could still
// lead here.
type PushedRequests struct {
	Records  storage.Bucket[PushedRequest]
	Lifetime time.Duration // RFC 9126 §2.2: "between 5 and 600 seconds"
	Now      func() time.Time
	Random   func() string // 128 bits or more
}

// isPushed tells whether requestURI has the form of this provider's.
func isPushed(requestURI string) bool { return strings.HasPrefix(requestURI, urn) }

// Push stores the request for Lifetime, which it returns. It fills in ExpiresAt. RFC 9126 §2.2: the request_uri "MUST
// contain some part generated using a cryptographically strong pseudorandom algorithm such that it is computationally
// infeasible to predict or guess a valid value".
func (r *PushedRequests) Push(
	ctx context.Context, request PushedRequest,
) (requestURI string, lifetime time.Duration, err error) {
	request.ExpiresAt = r.Now().Add(r.Lifetime)
	requestURI = urn + r.Random() + r.Random()
	return requestURI, r.Lifetime, r.Records.Put(ctx, requestURI, request, 2*r.Lifetime)
}

// Open returns the request as often as it is asked, until it is spent or expires. RFC 9126 §2.2: the request_uri "MUST
// be bound to the client that posted the authorization request": another's is errNotPushed.
func (r *PushedRequests) Open(ctx context.Context, requestURI, clientID string) (PushedRequest, error) {
	request, err := r.Records.Get(ctx, requestURI)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return PushedRequest{}, errNotPushed
	case err != nil:
		return PushedRequest{}, err
	case !request.SpentAt.IsZero():
		return PushedRequest{}, errPushSpent
	case request.ClientID != clientID:
		return PushedRequest{}, errNotPushed
	case !r.Now().Before(request.ExpiresAt):
		return PushedRequest{}, errPushExpired
	}
	return request, nil
}

// Spend lets one of all that ask go on to a code; the others get errPushSpent. The record itself may have expired
// meanwhile.
func (r *PushedRequests) Spend(ctx context.Context, requestURI string) error {
	return r.Records.Update(ctx, requestURI, spentRetention, func(old *PushedRequest) (*PushedRequest, error) {
		if old != nil && !old.SpentAt.IsZero() {
			return nil, errPushSpent
		}
		return &PushedRequest{SpentAt: r.Now()}, nil
	})
}
