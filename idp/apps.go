package idp

import (
	"net/url"
	"slices"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
)

// apps are those that let a sign-in begin here (Core §4, Initiating Login from a Third Party): the configured clients, and of those
// that registered themselves the ones that the user allowed something.
func (p *site) apps(allowed []pages.Remembered) []pages.App {
	all := slices.Clone(p.clients.All())
	for _, consent := range allowed {
		if !slices.ContainsFunc(all, func(c oidc.Client) bool { return c.ClientID == consent.Client.ClientID }) {
			all = append(all, consent.Client)
		}
	}
	var apps []pages.App
	for _, client := range all {
		if address := p.initiateLogin(client); address != "" {
			apps = append(apps, pages.App{Name: client.Name(), ClientID: client.ClientID, URL: address})
		}
	}
	return apps
}

// initiateLogin is the client's initiate_login_uri with iss, "the Issuer Identifier for the OP that the RP is to send the
// Authentication Request to" (Core §4). "" where the client has none.
func (p *site) initiateLogin(client oidc.Client) string {
	u, err := url.Parse(client.InitiateLoginURI)
	if err != nil || client.InitiateLoginURI == "" {
		return ""
	}
	query := u.Query()
	query.Set("iss", p.config.Issuer)
	u.RawQuery = query.Encode()
	return u.String()
}
