package rp

import (
	"context"
	"encoding/json"
	"maps"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// requestObjectType is RFC 9101 §10.8.
const requestObjectType = "oauth-authz-req+jwt"

// authorizationURL is the address that the browser is sent to: the authorization endpoint with the request, signed and
// pushed as configured. extra holds the parameters that only this request has.
func (p *RP) authorizationURL(ctx context.Context, f *flow, extra url.Values) (string, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	params, err := p.authenticationRequest(f, extra)
	if err == nil && p.config.RequestObjects {
		params, err = p.requestObject(params)
	}
	if err == nil && (p.config.PushedAuthorizationRequests || d.metadata.RequirePushedAuthorizationRequests) {
		params, err = p.push(ctx, d, params)
	}
	if err != nil {
		return "", err
	}
	return withParams(d.metadata.AuthorizationEndpoint, params), nil
}

// authenticationRequest is the request of Core §3.1.2.1 with PKCE (RFC 7636 §4.3).
func (p *RP) authenticationRequest(f *flow, extra url.Values) (url.Values, error) {
	params := url.Values{
		"response_type": {"code"}, "client_id": {p.config.ClientID}, "redirect_uri": {p.config.redirectURI(f.Silent)},
		"scope": {strings.Join(p.config.Scopes, " ")}, "state": {f.State}, "nonce": {f.Nonce},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(f.CodeVerifier)}, "code_challenge_method": {"S256"},
	}
	maps.Copy(params, extra)
	if p.config.ResponseMode != "" && !f.Silent {
		params.Set("response_mode", p.config.ResponseMode)
	}
	if len(p.config.Resources) > 0 { // RFC 8707 §2
		params["resource"] = p.config.Resources
	}
	if p.prover != nil { // RFC 9449 §10: the code is bound to the key as well
		params.Set("dpop_jkt", p.prover.thumbprint)
	}
	if p.config.Claims == nil {
		return params, nil
	}
	claims, err := json.Marshal(p.config.Claims)
	params.Set("claims", string(claims))
	return params, err
}

// requestObject signs the request (RFC 9101 §4). Core §6.1 wants response_type, client_id and scope outside as well.
func (p *RP) requestObject(params url.Values) (url.Values, error) {
	claims := map[string]any{}
	for name, values := range params {
		claims[name] = asClaim(name, values)
	}
	object, err := p.sign(signingKeyOf(p.config.ClientKey), requestObjectType, claims)
	if err != nil {
		return nil, err
	}
	signed := url.Values{"request": {object}}
	for _, name := range []string{"response_type", "client_id", "scope"} {
		signed[name] = params[name]
	}
	return signed, nil
}

// asClaim is a parameter's value in a request object. Core §6.1: numbers are numbers there, and claims is an object.
func asClaim(name string, values []string) any {
	switch {
	case name == "claims":
		return json.RawMessage(values[0])
	case name == "max_age":
		seconds, _ := strconv.ParseInt(values[0], 10, 64) // beginLogin has checked it
		return seconds
	case len(values) > 1:
		return values
	}
	return values[0]
}

// push sends the request to the provider and returns the parameters that the browser takes there instead: RFC 9126 §2,
// §4.
func (p *RP) push(ctx context.Context, d *discovered, params url.Values) (url.Values, error) {
	endpoint := d.metadata.PushedAuthorizationRequestEndpoint
	if endpoint == "" {
		return nil, oidc.ServerError.Errorf("the provider cannot take pushed requests: " +
			"it has no pushed_authorization_request_endpoint (RFC 9126 section 5)")
	}
	var pushed struct {
		RequestURI string `json:"request_uri"`
	}
	if err := p.post(ctx, d, endpoint, params, &pushed); err != nil {
		return nil, err
	}
	if pushed.RequestURI == "" {
		return nil, oidc.ServerError.Errorf("the answer to the pushed request has no request_uri (RFC 9126 section 2.2)")
	}
	return url.Values{"client_id": {p.config.ClientID}, "request_uri": {pushed.RequestURI}}, nil
}
