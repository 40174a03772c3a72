package idp

import (
	"context"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/static"
)

// PathReasons is where development mode has a page about each reason code.
const PathReasons = "/reasons/"

// nameHealth is the name of the endpoints that are asked every few seconds.
const nameHealth = "health"

var (
	get     = []string{http.MethodGet}
	post    = []string{http.MethodPost}
	getPost = []string{http.MethodGet, http.MethodPost}
)

// endpoints lists all that the provider serves, development mode aside.
func (p *site) endpoints() []endpoint.Endpoint {
	documents := &discovery.Endpoint{Issuer: p.config.Issuer, Metadata: p.description, Keys: p.keys}
	return slices.Concat(documents.Endpoints(), p.authorize.Endpoints(), p.token.Endpoints(), p.devices.Endpoints(), p.revocation.Endpoints(),
		p.introspection.Endpoints(), p.userinfo.Endpoints(), p.devicePage.Endpoints(), p.login.Endpoints(), p.logout.Endpoints(),
		p.checkSession.Endpoints(), p.account.Endpoints(), p.fileEndpoints(), p.registration.Endpoints(), p.deps.Endpoints)
}

// fileEndpoints are the assets of the pages, and the health of the process.
func (p *site) fileEndpoints() []endpoint.Endpoint {
	return []endpoint.Endpoint{
		{Name: nameHealth, Path: "/healthz", Methods: get, Audience: endpoint.Files, Serve: adapt(p.health), Untraced: true},
		{Name: nameHealth, Path: "/readyz", Methods: get, Audience: endpoint.Files, Serve: adapt(p.readiness), Untraced: true},
		{Name: "static", Path: "/static/idp/{path...}", Methods: get, Audience: endpoint.Visitors, Serve: files("/static/idp/", static.IDP()), Untraced: true},
		{Name: "static", Path: "/static/shared/{path...}", Methods: get, Audience: endpoint.Visitors, Serve: files("/static/shared/", static.Shared()), Untraced: true},
	}
}

// files serves the assets of a tree, and not the templates and texts that lie beside them.
func files(prefix string, tree fs.FS) endpoint.Handler {
	server := http.StripPrefix(prefix, http.FileServerFS(tree))
	return func(w http.ResponseWriter, r *http.Request) error {
		if ext := path.Ext(r.URL.Path); ext == ".html" || ext == ".yaml" || strings.HasSuffix(r.URL.Path, "/") {
			return endpoint.ErrNotFound
		}
		if _, err := fs.Stat(tree, strings.TrimPrefix(r.URL.Path, prefix)); err != nil {
			return endpoint.ErrNotFound
		}
		w.Header().Set("Cache-Control", "public, max-age=300")
		server.ServeHTTP(w, r)
		return nil
	}
}

type contextKey struct{}

// adapt lets a handler of echo serve an endpoint.
func adapt(h echo.HandlerFunc) endpoint.Handler {
	return func(_ http.ResponseWriter, r *http.Request) error {
		c := r.Context().Value(contextKey{}).(echo.Context)
		c.SetRequest(r)
		return h(c)
	}
}

func withEcho(r *http.Request, c echo.Context) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), contextKey{}, c))
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
