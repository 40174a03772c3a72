package check

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

var cookieChecks = []Check{
	{"cookie.came", "The session cookie", "The session cookie reaches the hidden iframe",
		"RFC 6265bis §5.2", Renew, aboutRenewal, (*view).cookieCame},
	{"cookie.site", "The session cookie", "App and provider are on one site, so every browser sends the cookie",
		"RFC 6265bis §5.2", Renew, aboutRenewal, (*view).oneSite},
}

func (v *view) cookieCame() verdict {
	e := v.answer
	if e == nil {
		return notSeen("")
	}
	first := v.silent.record.Fetch // a request that comes back from a page of the provider has another site
	said := "Sec-Fetch-Site: " + first.Site
	if access := first.StorageAccess; access != "" {
		said += ", Sec-Fetch-Storage-Access: " + access
	}
	name := cookieSent(e.record)
	switch reason := e.record.Reason; {
	case strings.HasPrefix(reason, "cookie."):
		text, _ := e.told(oidc.Reason(reason))
		return fails(e, "%s (%s)", text, said).because(oidc.Reason(reason))
	case name != "":
		return holds(e, "%s came (%s)", name, said)
	}
	return notSeen("no session cookie came, and no header tells of a withheld one (%s): nobody was signed in",
		said)
}

// cookieSent is the name of a session cookie of the request; "" without one.
func cookieSent(r *trace.Record) string {
	for _, c := range r.Cookies {
		if c.Session && c.Direction == "sent" {
			return c.Name
		}
	}
	return ""
}

func (v *view) oneSite() verdict {
	e := v.silent
	if e == nil {
		return notSeen("")
	}
	app := v.app()
	switch site := e.record.Fetch.Site; site {
	case "same-origin", "same-site":
		found := holds(e, "app %s, provider %s, Sec-Fetch-Site: %s", app, e.record.Issuer, site)
		if isLoopback(app) && isLoopback(e.record.Issuer) {
			found.inferred = "Hosts of this machine prove nothing about production. If app and provider have two " +
				"domains in production, test with app.localhost and idp.localhost"
		}
		return found
	case "cross-site":
		return fails(e, "app %s, provider %s, Sec-Fetch-Site: cross-site. %s", app, e.record.Issuer,
			whyTwoSites(app, e.record.Issuer)).inferring("Browsers that block third-party cookies withhold the cookie")
	}
	return cannotSee("the browser sent no Sec-Fetch-Site")
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	return err == nil && oidc.IsLoopback(u.Hostname())
}

// whyTwoSites names the part in which the two addresses differ.
func whyTwoSites(app, provider string) string {
	a, errA := url.Parse(app)
	b, errB := url.Parse(provider)
	switch {
	case errA != nil || errB != nil:
		return ""
	case a.Scheme != b.Scheme && a.Hostname() == b.Hostname():
		return fmt.Sprintf("%s and %s of one host are two sites", a.Scheme, b.Scheme)
	case isLoopback(app) && isLoopback(provider):
		return fmt.Sprintf("Both hosts mean this machine, and the names %s and %s are two sites", a.Hostname(),
			b.Hostname())
	}
	return fmt.Sprintf("%s and %s have different registered domains", a.Hostname(), b.Hostname())
}
