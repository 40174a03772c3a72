package session

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gorilla/securecookie"
)

// Cookies writes and reads the session cookie. Over http there are two cookies with the same value:
//
//	over https  __Host-hush-ISSUER   SameSite=None; Secure    reaches a cross-site iframe, where the browser allows it
//	over http   hush-ISSUER          SameSite=None; Secure    the same, on loopback names only; WebKit refuses it
//	            hush-ISSUER-lax      SameSite=Lax             every same-site iframe, in every browser
//
// If the issuer has a path, the cookies have that Path. So an issuer at another path of the host does not get them,
// unless its path is below this one: a browser sends cookies to their Path and to every path below it (RFC 6265
// §5.1.4), and those of an origin to every path. The name is different, so such an issuer ignores them. Browsers refuse
// __Host- with a Path other than / (RFC 6265bis §4.1.3.2), so the name begins with __Secure- there: another host of the
// same domain may then set a cookie of that name, but cannot sign one.
//
// ISSUER is a short hash of the issuer: cookies ignore ports, so two providers on two ports of localhost would
// otherwise overwrite each other's cookies.
type Cookies struct {
	codecs []securecookie.Codec
	names  []string
	states []string // of the browser state
	prefix string
	path   string
	maxAge time.Duration
}

// NewCookies returns the cookies of issuer. The first key signs, all verify; a key has 32 bytes or more.
func NewCookies(issuer *url.URL, keys [][]byte, maxAge time.Duration) Cookies {
	sum := sha256.Sum256([]byte(issuer.String()))
	prefix := "hush-" + hex.EncodeToString(sum[:4])
	names := []string{prefix, prefix + "-lax"}
	if issuer.Scheme == "https" {
		names = []string{"__Host-" + prefix}
	}
	if issuer.Scheme == "https" && issuer.Path != "" {
		names = []string{"__Secure-" + prefix}
	}
	states := []string{names[0] + "-state", prefix + "-state-lax"}[:len(names)]
	return Cookies{
		codecs: Codecs(keys, maxAge), names: names, states: states, prefix: prefix, path: cmp.Or(issuer.Path, "/"),
		maxAge: maxAge,
	}
}

// Codecs returns a securecookie codec for each key. It signs a []byte for maxAge and does not encrypt it.
func Codecs(keys [][]byte, maxAge time.Duration) []securecookie.Codec {
	codecs := make([]securecookie.Codec, len(keys))
	for i, key := range keys {
		codec := securecookie.New(key, nil)
		codec.SetSerializer(securecookie.NopEncoder{})
		codec.MaxAge(int(maxAge / time.Second))
		codecs[i] = codec
	}
	return codecs
}

// Names lists the cookies that are set, the one that reaches a cross-site iframe first.
func (c Cookies) Names() []string { return slices.Clone(c.names) }

// set sends the cookies with a signed value.
func (c Cookies) set(w http.ResponseWriter, value string) error {
	for _, cookie := range c.cookies() {
		signed, err := securecookie.EncodeMulti(c.prefix, []byte(value), c.codecs...)
		if err != nil {
			return err
		}
		cookie.Value, cookie.MaxAge = signed, int(c.maxAge/time.Second)
		http.SetCookie(w, cookie)
	}
	return nil
}

// clear removes the cookies from the browser, also those of the browser state.
func (c Cookies) clear(w http.ResponseWriter) {
	c.setLogin(w, loggedOut)
	for _, cookie := range append(c.cookies(), c.stateCookies()...) {
		cookie.MaxAge = -1
		http.SetCookie(w, cookie)
	}
}

// read returns the value of the first valid cookie, or else NoCookie, Withheld or CookieUnreadable.
func (c Cookies) read(r *http.Request) (string, error) {
	came := false
	for _, name := range c.names {
		for _, cookie := range r.CookiesNamed(name) {
			var value []byte
			if securecookie.DecodeMulti(c.prefix, cookie.Value, &value, c.codecs...) == nil {
				return string(value), nil
			}
			came = true
		}
	}
	if came {
		return "", CookieUnreadable
	}
	return "", Missing(r)
}

// Missing returns the reason of a missing cookie. In a cross-site iframe a browser may withhold cookies, unless it
// sends "active". After WithAccess the answer of the browser is the reason.
// https://www.w3.org/TR/fetch-metadata/ and https://privacycg.github.io/storage-access-headers/
func Missing(r *http.Request) Absence {
	answer := r.Context().Value(accessKey{})
	switch {
	case answer == AccessDenied:
		return Denied
	case answer == AccessUnsupported:
		return Unsupported
	case isCrossSiteFrame(r) && r.Header.Get(HeaderStorageAccess) != AccessActive:
		return Withheld
	}
	return NoCookie
}

// Withheld tells whether a page in a cross-site iframe has no access to the cookies, and gets none by HeaderActivate.
func (c Cookies) Withheld(r *http.Request) bool {
	return len(c.Arrived(r)) == 0 && Missing(r) == Withheld && r.Header.Get(HeaderStorageAccess) != AccessInactive
}

func isCrossSiteFrame(r *http.Request) bool {
	return r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Dest") == "iframe"
}

// Arrived lists the cookies of Names that the request has.
func (c Cookies) Arrived(r *http.Request) []string {
	cookies, arrived := r.Cookies(), []string(nil)
	for _, name := range c.names {
		if slices.ContainsFunc(cookies, func(cookie *http.Cookie) bool { return cookie.Name == name }) {
			arrived = append(arrived, name)
		}
	}
	return arrived
}

func (c Cookies) cookies() []*http.Cookie {
	cookies := []*http.Cookie{
		{Name: c.names[0], Path: c.path, HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode},
	}
	for _, name := range c.names[1:] {
		cookies = append(cookies, &http.Cookie{Name: name, Path: c.path, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	}
	return cookies
}
