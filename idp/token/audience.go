package token

import (
	"cmp"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// audience is which APIs the access token is for: of those granted, what the token request asks for by resource, else all. RFC 8707
// §2.2: "the client can request that token to be bound to a subset of resources".
// https://www.rfc-editor.org/rfc/rfc8707#section-2.2
func (e *Endpoint) audience(r request, g grant.Grant) (oidc.Audience, error) {
	granted := g.Resource
	if len(granted) == 0 {
		granted = []string{cmp.Or(r.Client.Audience, e.Audience)}
	}
	asked, err := oidc.ParseResources(r.Form["resource"], granted)
	if err != nil || len(asked) > 0 {
		return asked, err
	}
	return granted, nil
}
