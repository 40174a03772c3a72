package rp

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// requestObjectType is RFC 9101 §10.8.
const requestObjectType = "oauth-authz-req+jwt"

// authorizationURL is where the browser is sent: the authorization endpoint with the request, signed and pushed as
// configured. extra is what this request asks for beyond the usual.
func (p *RP) authorizationURL(ctx context.Context, f *flow, extra url.Values) (string, error) {
	d, err := p.provider.discover(ctx)
	if err != nil {
		return "", err
	}
	params, err := p.authenticationRequest(f, extra)
	if err == nil && p.config.RequestObjects {
		params, err = p.requestObject(params)
	}
	if err == nil && p.pushes(d) {
		params, err = p.push(ctx, d, params)
	}
	if err != nil {
		return "", err
	}
	return withParams(d.metadata.AuthorizationEndpoint, params), nil
}

// authenticationRequest is that of Core §3.1.2.1 with PKCE (RFC 7636 §4.3).
func (p *RP) authenticationRequest(f *flow, extra url.Values) (url.Values, error) {
	params := url.Values{
		"response_type": {"code"}, "client_id": {p.config.ClientID}, "redirect_uri": {p.config.redirectURI(f.Silent)},
		"scope": {strings.Join(p.config.Scopes, " ")}, "state": {f.State}, "nonce": {f.Nonce},
		"code_challenge": {oauth2.S256ChallengeFromVerifier(f.CodeVerifier)}, "code_challenge_method": {"S256"},
	}
	for name, values := range extra {
		params[name] = values
	}
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

// requestObject signs the request: RFC 9101 §4. Core §6.1 wants response_type, client_id and scope outside as well.
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

// asClaim is a parameter's value as it stands in a request object. Core §6.1: numbers are numbers there, and claims is an object.
func asClaim(name string, values []string) any {
	switch name {
	case "claims":
		return json.RawMessage(values[0])
	case "max_age":
		seconds, _ := strconv.ParseInt(values[0], 10, 64) // expectMaxAge has read it
		return seconds
	}
	if len(values) > 1 {
		return values
	}
	return values[0]
}

// InitiateLogin begins a sign-in that somebody else asks for (Core §4): GET, or POST of a form, with the provider's iss, and perhaps
// login_hint and target_link_uri. It is what initiate_login_uri names in the client's registration.
//
// Another iss is refused. target_link_uri may lead to this application only (Core §4: "RPs MUST verify the value of the
// target_link_uri to prevent being used as an open redirector").
func (p *RP) InitiateLogin(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet, http.MethodPost) {
		return
	}
	f := p.newFlow()
	target, err := p.beginInitiated(r, f)
	p.send(w, r, f, target, err)
}

func (p *RP) beginInitiated(r *http.Request, f *flow) (string, error) {
	if iss := r.FormValue("iss"); iss != p.config.Issuer {
		return "", IssuerMismatch.Errorf("iss is '%s', expected %s (Core section 4): only that provider's users sign in here", clip(iss), p.config.Issuer)
	}
	if target := r.FormValue("target_link_uri"); target != "" {
		local, ok := strings.CutPrefix(target, oidc.Origin(p.config.RedirectURI))
		if !ok || !isLocalPath(local) {
			return "", oidc.InvalidRequest.Errorf("target_link_uri leads to another origin than %s (Core section 4)", oidc.Origin(p.config.RedirectURI))
		}
		f.ReturnTo = local
	}
	params := url.Values{}
	if hint := r.FormValue("login_hint"); hint != "" {
		params.Set("login_hint", hint)
	}
	return p.authorizationURL(r.Context(), f, params)
}
