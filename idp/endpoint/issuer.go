package endpoint

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/hush-idp/hush/oidc"
)

// ErrMisdirected is in the error of a page that was asked for at another host than the issuer's. The answer is a 421
// (RFC 9110 §15.5.20).
var ErrMisdirected = errors.New("the request is for another host")

// AtIssuer keeps pages at the host of the issuer. At another name of the same machine a sign-in would be of no use:
// applications send the browser to the issuer's host, and the browser does not send the cookie of another host there.
type AtIssuer struct {
	Issuer    string
	Host      func(*http.Request) string // the host that the browser asked for, by a trusted proxy if there is one
	Redirects bool                       // a browser is redirected; else it gets ErrMisdirected
}

// NameStatic is the name of the endpoints of scripts, styles and pictures. Pages about errors need them at any host.
const NameStatic = "static"

// moved names a cookie that lasts two seconds: the browser was redirected just now. Its value is the path. A second
// request for that path is served, so that a proxy that hides the host from the provider causes no endless redirects.
const moved = "hush-moved"

// Keep returns all with handlers that keep the pages at the issuer. Requests that do not ask for HTML are served at any
// host, such as those of programs in other containers and of health checks by address.
func (a AtIssuer) Keep(all []Endpoint) (kept []Endpoint) {
	for _, e := range all {
		if (e.Audience == People || e.Audience == Visitors || e.Audience == Developers) && e.Name != NameStatic {
			e.Serve = a.keep(e.Serve)
		}
		kept = append(kept, e)
	}
	return kept
}

func (a AtIssuer) keep(next Handler) Handler {
	own, _ := url.Parse(a.Issuer) // the configuration has checked it
	base := BaseOf(a.Issuer)
	// Cookies do not tell ports apart (RFC 6265 §8.5), and many proxies leave the port out.
	isOwn := func(host string) bool {
		if host == own.Host { // of nearly every request
			return true
		}
		u, err := url.Parse("//" + host)
		return err == nil && strings.EqualFold(u.Hostname(), own.Hostname())
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		if isOwn(r.Host) || !strings.Contains(r.Header.Get("Accept"), "text/html") {
			return next(w, r)
		}
		host := a.Host(r)
		before, _ := r.Cookie(moved)
		moving := &http.Cookie{
			Name: moved, Value: url.PathEscape(r.URL.Path), Path: base.CookiePath(), MaxAge: 2, HttpOnly: true,
		}
		switch {
		case isOwn(host):
			return next(w, r)
		case !a.Redirects:
			return oidc.InvalidRequest.Errorf("this provider is %s, and the request asked for the host %s: open %s instead; "+
				"a proxy before the provider has to pass on the browser's Host header, or to send X-Forwarded-Host and be in "+
				"limits.trusted_proxies", a.Issuer, host, a.Issuer).Because(ErrMisdirected)
		case r.Method != http.MethodGet || before != nil && before.Value == moving.Value:
			return next(w, r)
		}
		http.SetCookie(w, moving)
		http.Redirect(w, r, a.Issuer+r.URL.RequestURI(), http.StatusSeeOther)
		return nil
	}
}
