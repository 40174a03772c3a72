package idp

import (
	"maps"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"
)

// aliased are the endpoints that aliases may name, and their paths.
var aliased = map[string]string{"authorize": pathAuthorize, "token": pathToken, "userinfo": pathUserinfo, "logout": pathLogout, "jwks": pathJWKS}

// checkAliases: an alias is a path that nobody else has.
func (c Config) checkAliases(p *Problems) {
	seen := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(c.Aliases)) {
		at, path := "aliases."+name, c.Aliases[name]
		p.when(aliased[name] == "", at, "%q is no endpoint that can have an alias: write one of %s", name, strings.Join(slices.Sorted(maps.Keys(aliased)), ", "))
		p.when(!strings.HasPrefix(path, "/") || strings.ContainsAny(path, "?#*: ") || strings.HasSuffix(path, "/"), at,
			"%q is no path: write one like /oauth/%s, without query and final slash", path, name)
		p.when(isForPrograms(path) || slices.Contains(slices.Collect(maps.Values(aliased)), path), at, "%s is an endpoint's own path: choose another", path)
		p.when(seen[path], at, "%s is another endpoint's alias: choose another", path)
		seen[path] = true
	}
}

// unalias leads requests for an alias to the endpoint. auth0-spa-js, whose paths cannot be configured, is what needs it; its
// logout says returnTo where RP-Initiated Logout says post_logout_redirect_uri.
func (p *Provider) unalias() echo.MiddlewareFunc {
	paths := map[string]string{}
	for name, path := range p.config.Aliases {
		paths[path] = aliased[name]
	}
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			u := c.Request().URL
			path, ok := paths[u.Path]
			if !ok {
				return next(c)
			}
			u.Path, u.RawPath = path, ""
			if query := u.Query(); path == pathLogout && query.Has("returnTo") && !query.Has("post_logout_redirect_uri") {
				query.Set("post_logout_redirect_uri", query.Get("returnTo"))
				query.Del("returnTo")
				u.RawQuery = query.Encode()
			}
			return next(c)
		}
	}
}
