package idp

import "github.com/hush-idp/hush/idp/device"

// openDevices opens the device flow. Which clients may use it their grant_types say.
func (p *site) openDevices() {
	p.devices = &device.Authorization{
		Issuer: p.config.Issuer, Auth: p.clientAuth, Devices: p.waiting, Scopes: p.config.KnownScope(),
		Resources: knownResources(p.config), Limit: p.limits.Token,
	}
	p.devicePage = &device.Page{
		Issuer: p.config.Issuer, Pages: p.pages, Clients: p.clients, Users: p.users, Sessions: p.sessions, Devices: p.waiting,
		Interactions: p.login.Interactions, ScopeTexts: scopeTexts(p.config.Scopes),
		Addresses: p.limits.Addresses, WrongCodes: p.limits.WrongCodes,
	}
}
