package idp

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/session"
)

// pathDeviceAuthorization is the device authorization endpoint (RFC 8628 §3.1).
const pathDeviceAuthorization = "/device_authorization"

// devices are the two ends of the device flow that are not the token endpoint.
type devices struct {
	authorization *device.Authorization
	page          *device.Endpoint
}

// openDevices opens the device flow. Which clients may use it their grant_types say.
func (p *site) openDevices() {
	p.devices = devices{
		authorization: &device.Authorization{
			Page: p.config.Issuer + session.PathDevice, Clients: p.clientAuth, Devices: p.waiting,
			Scopes: p.config.KnownScope(), Resources: knownResources(p.config),
		},
		page: &device.Endpoint{
			Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions, Devices: p.waiting,
			Interactions: p.login.Interactions, ScopeTexts: scopeTexts(p.config.Scopes), Attempt: p.limits.userCode,
		},
	}
}

// startDevice is POST /device_authorization.
func (p *site) startDevice(c echo.Context) error {
	response, err := p.devices.authorization.Start(c.Request())
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, response)
}

// userCode is asked before a user code is looked up; see device.Endpoint.
func (l *limits) userCode(r *http.Request) (succeeded func(), err error) {
	return l.devices.Take(l.addresses.Of(r))
}
