package rp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// pushes tells whether requests go to the provider directly: because this client wants it, or the provider demands it (RFC 9126 §5).
func (p *RP) pushes(d *discovered) bool {
	return p.config.PushedAuthorizationRequests || d.metadata.RequirePushedAuthorizationRequests
}

// push sends the authorization request to the provider and returns what the browser brings there instead of it: RFC 9126 §2, §4.
func (p *RP) push(ctx context.Context, d *discovered, params url.Values) (url.Values, error) {
	endpoint := d.metadata.PushedAuthorizationRequestEndpoint
	if endpoint == "" {
		return nil, oidc.ServerError.Errorf("the provider has no pushed_authorization_request_endpoint (RFC 9126 section 5): it cannot take pushed requests")
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := p.post(ctx, d, endpoint, params, &pushed); err != nil {
		return nil, err
	}
	if pushed.RequestURI == "" {
		return nil, oidc.ServerError.Errorf("the provider took the pushed request and gave no request_uri (RFC 9126 section 2.2)")
	}
	return url.Values{"client_id": {p.config.ClientID}, "request_uri": {pushed.RequestURI}}, nil
}

// post sends form to an endpoint of the provider's that authenticates clients, and reads the JSON of a good answer.
func (p *RP) post(ctx context.Context, d *discovered, endpoint string, form url.Values, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := p.client(func(form url.Values, header http.Header) error { return p.authenticate(d, form, header) }).Do(r)
	if err != nil {
		return p.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return p.unreachable(err)
	}
	if response.StatusCode/100 != 2 {
		return refusal(endpoint, response.Status, body)
	}
	if into != nil && json.Unmarshal(body, into) != nil {
		return oidc.ServerError.Errorf("%s answered with something that is no JSON object", clip(endpoint))
	}
	return nil
}

// refusal puts an error answer (RFC 6749 §5.2) into words.
func refusal(endpoint, status string, body []byte) error {
	var e struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &e) != nil || e.Error == "" {
		return ProviderDown.Errorf("%s answered %s without an error code (RFC 6749 section 5.2)", clip(endpoint), status)
	}
	return providerError(e.Error, e.Description)
}

// unreachable is for what http.Client gives as an error: that of the network, or one of ours on the way there.
func (p *RP) unreachable(err error) error {
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return e
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return ProviderDown.Errorf("the provider's answer has more than %d bytes: nothing it has to say is that long", tooLarge.Limit)
	}
	return p.provider.down(err)
}
