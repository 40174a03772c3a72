package token

import (
	"context"

	"github.com/hush-idp/hush/oidc"
)

// deviceCode obeys the grant type of RFC 8628 §3.4: a device asks whether its user has decided.
func (e *Endpoint) deviceCode(ctx context.Context, r request) (Response, error) {
	code := r.Form.Get("device_code")
	if code == "" {
		return Response{}, oidc.InvalidRequest.Errorf("device_code is missing; send the one of the device authorization response (RFC 8628 §3.4)")
	}
	granted, err := e.Devices.Redeem(ctx, r.Client, code)
	if err != nil {
		return Response{}, err
	}
	return e.respond(ctx, r, granted)
}
