package authorize

import (
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/par"
	"github.com/hush-idp/hush/oidc"
)

// ClientAuth is a *clientauth.Authenticator.
type ClientAuth interface {
	Authenticate(r *http.Request, form url.Values) (oidc.Client, error)
}

// PushResponse is the answer to a pushed request (RFC 9126 §2.2).
type PushResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// Push takes a pushed authorization request (RFC 9126 §2.1): it finds out which client is asking, judges the request by everything
// that /authorize will judge it by before it looks at a person, and keeps it. Its errors are *oidc.Error, or server errors.
// https://www.rfc-editor.org/rfc/rfc9126#section-2.1
func (e *Endpoint) Push(r *http.Request) (PushResponse, error) {
	form, err := clientauth.ReadForm(r)
	if err != nil {
		return PushResponse{}, err
	}
	client, err := e.ClientAuth.Authenticate(r, form)
	if err != nil {
		return PushResponse{}, err
	}
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

// ofTheClient are parameters by which a client says who it is, and no part of the authorization request.
var ofTheClient = []string{"client_secret", "client_assertion", "client_assertion_type"}

// readPushed takes the authorization request out of the form. RFC 9126 §2.1: request_uri "MUST NOT be provided in this case";
// §3: with a request object, "all other request parameters […] MUST appear as claims of the JWT", but for the client's credentials.
func (e *Endpoint) readPushed(r *http.Request, client oidc.Client, form url.Values) (par.Request, error) {
	if form.Get("request_uri") != "" {
		return par.Request{}, oidc.InvalidRequest.Errorf("request_uri came to the endpoint that gives them (RFC 9126 §2.1): push the parameters themselves")
	}
	request := par.Request{ClientID: client.ClientID, Params: url.Values{}}
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
			return par.Request{}, err
		}
		request.Params, request.FromObject = object.Params, object.Signed
	}
	return request, e.bindToKey(r, client, request.Params)
}

// bindToKey: RFC 9449 §10.1: a client may send a DPoP proof with the pushed request instead of dpop_jkt; "If both mechanisms are
// used at the same time, the authorization server MUST reject the request if the JWK Thumbprint in dpop_jkt does not match the
// public key in the DPoP header."
func (e *Endpoint) bindToKey(r *http.Request, client oidc.Client, params url.Values) error {
	if e.Proof == nil {
		return nil
	}
	jkt, err := e.Proof(r, client)
	if err != nil || jkt == "" {
		return err
	}
	if given := params.Get("dpop_jkt"); given != "" && given != jkt {
		return oidc.InvalidDPoPProof.Errorf("dpop_jkt is not the thumbprint of the key in the DPoP header (RFC 9449 §10.1): send one of the two")
	}
	params.Set("dpop_jkt", jkt)
	return nil
}
