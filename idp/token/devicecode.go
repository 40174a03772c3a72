package token

import (
	"context"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// DeviceCode is the grant type of RFC 8628 §3.4: a device asks whether its user has decided.
type DeviceCode struct {
	Devices Devices
	Grants  Grants
	Issuer  *Issuer
	Refresh Refresh
}

// Devices is a *device.Devices. Endpoint packages do not import each other.
type Devices interface {
	Redeem(ctx context.Context, client oidc.Client, deviceCode string) (grant.Grant, error)
}

// tokens implements GrantType.
func (d *DeviceCode) tokens(ctx context.Context, r request) (Response, error) {
	if r.DeviceCode == "" {
		return Response{}, oidc.InvalidRequest.Errorf(
			"device_code is missing; send the one of the device authorization response (RFC 8628 §3.4)")
	}
	granted, err := d.Devices.Redeem(ctx, r.Client, r.DeviceCode)
	if err != nil {
		return Response{}, err
	}
	return begin(ctx, d.Grants, d.Issuer, d.Refresh, r, granted)
}
