package config

import (
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/oidc"
)

// segments matches a path of an issuer: no segment is empty, begins with a dot, or needs an escape.
var segments = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+$`)

// hasIssuer tells whether the issuer is an http or https URL, so that it is known whose machine it is on.
func (c Config) hasIssuer() bool {
	u, err := url.Parse(c.Issuer)
	return err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http")
}

// elsewhere is the configuration at the default issuer. What is wrong with it there does not follow from an issuer that
// is no URL. A lack of users does: only a loopback issuer has some by default.
func (c Config) elsewhere() Config {
	on := true
	c.Issuer, c.Dev = DefaultIssuer, &on
	return c.WithDefaults()
}

// checkAddress reports an issuer that is not written as clients and browsers write it. Clients compare issuers letter
// by letter (Discovery §4.3). The issuer may have a path, but "no query or fragment components" (Discovery §3).
func (c Config) checkAddress(at, issuer string, endpoints map[string]string, report oidc.Report) {
	origin := oidc.Origin(issuer)
	path, isExact := strings.CutPrefix(issuer, origin)
	address, _, _ := strings.Cut(path, "?")
	address, _, _ = strings.Cut(address, "#")
	switch first, taken := c.takenBy(path, endpoints); {
	case !isExact || path != "" && !strings.ContainsAny(path[:1], "/?#"):
		report.When(true, at, "%q does not begin with an origin as browsers write it, in lower case, without a user name "+
			"and without the usual port: write %s, and the path behind it if there is one", issuer, origin)
	case address != path:
		report.When(true, at, "%q has a query or a fragment: write %s (Discovery §3)", issuer, origin+address)
	case strings.HasSuffix(path, "/"):
		report.When(true, at, "%q ends with a slash: write %s", issuer, strings.TrimRight(issuer, "/"))
	case path == "":
	case !segments.MatchString(path):
		report.When(true, at, "%q has a path that would need escapes: use letters, digits, -, _, ~ and dots inside of "+
			"names, such as %s/realms/demo", issuer, origin)
	case taken != "":
		report.When(true, at, "%q has a path that begins with %s, as %s of the provider itself does, so no proxy could "+
			"remove the path: choose another, such as %s/auth", issuer, first, taken, origin)
	}
}

// takenBy returns the first segment of the path, and the path of the provider that begins with it too; "" if none does.
func (c Config) takenBy(path string, endpoints map[string]string) (first, taken string) {
	name, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	first = "/" + name
	own := append(slices.Sorted(maps.Keys(endpoints)), endpoint.Added...)
	for _, alias := range c.Aliases {
		own = append(own, alias)
	}
	i := slices.IndexFunc(own, func(one string) bool { return one == first || strings.HasPrefix(one, first+"/") })
	if i < 0 {
		return first, ""
	}
	return first, own[i]
}

// checkLayouts: layouts are issuers on this machine, each another one. Those that follow from the issuer have no faults
// of their own.
func (c Config) checkLayouts(endpoints map[string]string, report oidc.Report) {
	if slices.Equal(c.Layouts, layoutsOf(c.Issuer)) {
		return
	}
	for i, layout := range c.Layouts {
		at := fmt.Sprintf("layouts[%d]", i)
		u, err := url.Parse(layout)
		if err != nil || oidc.Origin(layout) == "" || !c.IsLocal(u.Hostname()) {
			report.When(true, at, "%q is no address of this machine: write one like http://localhost:8080/realms/demo", layout)
			continue
		}
		c.checkAddress(at, layout, endpoints, report)
		isTwice := layout == c.Issuer || slices.Contains(c.Layouts[:i], layout)
		report.When(isTwice, at, "%q is there already: remove one", layout)
	}
}

// nested describes each two issuers of which one has a path below the other's.
func (c Config) nested() (texts []string) {
	all := append([]string{c.Issuer}, c.Layouts...)
	for _, outer := range all {
		for _, inner := range all {
			if strings.HasPrefix(cookieScope(inner), cookieScope(outer)+"/") {
				texts = append(texts, "the path of the issuer "+inner+" is below the path of "+outer+": browsers send the "+
					"cookies of the second to the first too; if different people run the two, give each a path beside the other")
			}
		}
	}
	return texts
}

// cookieScope is the host and the path of the issuer. Cookies ignore the port (RFC 6265 §8.5).
func cookieScope(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil { // Check reports it
		return ""
	}
	return u.Hostname() + u.Path
}
