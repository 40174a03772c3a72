package idp

import (
	"net/http"
	"slices"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/static"
)

// PathReasons is where development mode has a page about each reason code.
const PathReasons = "/reasons/"

// endpoints lists all that the provider serves, development mode aside.
func (p *site) endpoints() []endpoint.Endpoint {
	documents := &discovery.Endpoint{Issuer: p.config.Issuer, Metadata: p.description, Keys: p.keys}
	assets := pages.Assets{"/static/idp/": static.IDP(), "/static/shared/": static.Shared()}
	health := &discovery.Health{Keys: p.keys, Usable: p.deps.Usable}
	return slices.Concat(documents.Endpoints(), p.authorize.Endpoints(), p.token.Endpoints(), p.devices.Endpoints(), p.revocation.Endpoints(),
		p.introspection.Endpoints(), p.userinfo.Endpoints(), p.devicePage.Endpoints(), p.login.Endpoints(), p.logout.Endpoints(),
		p.checkSession.Endpoints(), p.account.Endpoints(), assets.Endpoints(), health.Endpoints(), p.registration.Endpoints(), p.deps.Endpoints)
}

// aliases are the endpoints once more, at the paths that the configuration gives them. auth0-spa-js, whose paths cannot be
// configured, needs it; its logout says returnTo where RP-Initiated Logout says post_logout_redirect_uri.
func aliases(paths map[string]string, all []endpoint.Endpoint) (more []endpoint.Endpoint) {
	for _, e := range all {
		if path := paths[e.Name]; path != "" {
			serve, own := e.Serve, e.Path
			e.Path = path
			e.Serve = func(w http.ResponseWriter, r *http.Request) error { return serve(w, atOwnPath(r, own)) }
			more = append(more, e)
		}
	}
	return more
}

// unbuilt is a site that serves nothing: it only names its endpoints.
func unbuilt(c Config) *site {
	return &site{shared: &shared{}, config: c, authorize: &authorize.Endpoint{}, revocation: &access.Revocation{}, introspection: &access.Introspection{},
		userinfo: &userinfo.Endpoint{}, token: &token.Endpoint{}, devices: &device.Authorization{}, devicePage: &device.Page{},
		login: &login.Endpoint{}, logout: &logout.Endpoint{}, account: &logout.Account{}, checkSession: &logout.CheckSession{},
		registration: &registration.Endpoint{Config: c.Registration},
	}
}

// atOwnPath is the request as if it had come to the endpoint's own path.
func atOwnPath(r *http.Request, own string) *http.Request {
	u := *r.URL
	u.Path, u.RawPath = own, ""
	if query := u.Query(); own == logout.Path && query.Has("returnTo") && !query.Has("post_logout_redirect_uri") {
		query.Set("post_logout_redirect_uri", query.Get("returnTo"))
		query.Del("returnTo")
		u.RawQuery = query.Encode()
	}
	moved := *r
	moved.URL = &u
	return &moved
}
