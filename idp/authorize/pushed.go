package authorize

import (
	"context"
	"errors"
	"maps"
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

// servePush serves POST /par. A client that uses DPoP gets a nonce for its next proof, also with an error.
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

// Push authenticates the client of a pushed authorization request (RFC 9126 §2.1), judges the request by the rules of
// /authorize, and stores it. Its errors are *oidc.Error, or server errors.
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

func (e *Endpoint) pushOf(r *http.Request, client *oidc.Client, form url.Values) (PushResponse, error) {
	request, err := e.readPushed(r, client, form)
	if err != nil {
		return PushResponse{}, err
	}
	if size := len(request.Params.Encode()); client.Public() && size > maxPublic {
		return PushResponse{}, oidc.InvalidRequest.Errorf("the request has %d bytes, and a client that does not "+
			"authenticate itself may push %d: keep long values in the application, and send a short state", size, maxPublic)
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
	if err := rules.Judge(r.Context(), &judged); err != nil {
		return PushResponse{}, err
	}
	uri, lifetime, err := e.Pushed.Push(r.Context(), request)
	return PushResponse{RequestURI: uri, ExpiresIn: int(lifetime / time.Second)}, err
}

// readPushed returns the parameters in the form, or in its request object (RFC 9126 §2.1, §3).
func (e *Endpoint) readPushed(r *http.Request, client *oidc.Client, form url.Values) (PushedRequest, error) {
	if form.Get("request_uri") != "" {
		return PushedRequest{}, oidc.InvalidRequest.Errorf(
			"request_uri came to the endpoint that gives them (RFC 9126 §2.1): push the parameters themselves")
	}
	request := PushedRequest{ClientID: client.ClientID, Params: maps.Clone(form)}
	for _, credential := range []string{"client_secret", "client_assertion", "client_assertion_type"} {
		request.Params.Del(credential)
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

// bindToKey sets dpop_jkt to the key of the DPoP proof, if there is one (RFC 9449 §10.1).
func (e *Endpoint) bindToKey(r *http.Request, client *oidc.Client, params url.Values) error {
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

// maxPublic bounds a pushed request of a public client, in bytes of a form. Anybody can push in the name of such a
// client, and each request is stored.
const maxPublic = 8 << 10

// spentRetention is longer than an interaction with the user can last.
const spentRetention = 25 * time.Hour

// PushedRequest is the record of a pushed request. Once spent it is a tombstone without the parameters.
type PushedRequest struct {
	Issuer     string     `json:"issuer,omitempty"`
	ClientID   string     `json:"client_id,omitempty"`
	Params     url.Values `json:"params,omitempty"`
	ExpiresAt  time.Time  `json:"expires_at,omitzero"`
	SpentAt    time.Time  `json:"spent_at,omitzero"`
	FromObject bool       `json:"from_object,omitempty"` // the parameters came in a signed request object
}

// The errors of Open and Spend.
var (
	errNotPushed   = errors.New("authorize: no such request")
	errPushExpired = errors.New("authorize: the request expired")
	errPushSpent   = errors.New("authorize: the request was used before")
)

// PushedRequests stores pushed authorization requests (RFC 9126). A request_uri is spent when the code is issued, not
// when the page is loaded, because browsers load pages twice (FAPI 2.0 §5.3.2.2). The sealed request in the browser may
// outlive the record, so Spend always writes a tombstone. The tombstone is stored for longer than any page is valid.
type PushedRequests struct {
	Issuer   string // of the requests: the issuers of one process share the Records
	Records  storage.Bucket[PushedRequest]
	Lifetime time.Duration // RFC 9126 §2.2: "between 5 and 600 seconds"
	Now      func() time.Time
	Random   func() string // 128 bits or more
}

// isPushed tells whether requestURI has the form of a request_uri of this provider.
func isPushed(requestURI string) bool { return strings.HasPrefix(requestURI, urn) }

// Push stores the request with Issuer and a new ExpiresAt, under a request_uri that cannot be guessed (RFC 9126 §2.2).
func (r *PushedRequests) Push(
	ctx context.Context, request PushedRequest,
) (requestURI string, lifetime time.Duration, err error) {
	request.Issuer, request.ExpiresAt = r.Issuer, r.Now().Add(r.Lifetime)
	requestURI = urn + r.Random() + r.Random()
	return requestURI, r.Lifetime, r.Records.Put(ctx, requestURI, request, 2*r.Lifetime)
}

// Open returns the request until it is spent or expires. For the request_uri of another issuer or another client it
// returns errNotPushed (RFC 9126 §2.2).
func (r *PushedRequests) Open(ctx context.Context, requestURI, clientID string) (PushedRequest, error) {
	request, err := r.Records.Get(ctx, requestURI)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return PushedRequest{}, errNotPushed
	case err != nil:
		return PushedRequest{}, err
	case request.Issuer != r.Issuer:
		return PushedRequest{}, errNotPushed
	case !request.SpentAt.IsZero():
		return PushedRequest{}, errPushSpent
	case request.ClientID != clientID:
		return PushedRequest{}, errNotPushed
	case !r.Now().Before(request.ExpiresAt):
		return PushedRequest{}, errPushExpired
	}
	return request, nil
}

// Spend succeeds once for each request_uri, even if the record has expired; later calls return errPushSpent.
func (r *PushedRequests) Spend(ctx context.Context, requestURI string) error {
	return r.Records.Update(ctx, requestURI, spentRetention, func(old *PushedRequest) (*PushedRequest, error) {
		if old != nil && !old.SpentAt.IsZero() {
			return nil, errPushSpent
		}
		return &PushedRequest{Issuer: r.Issuer, SpentAt: r.Now()}, nil
	})
}
