package rp

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/hush-idp/hush/oidc"
)

const minCookieKey = 32 // bytes

// cookies seals, names and dresses this client's cookies.
type cookies struct {
	codecs  []securecookie.Codec
	secure  bool
	session string // the name of the session cookie
	flow    string // what the name of every flow cookie begins with
	posted  string // what the name of every posted answer's cookie begins with
}

// newCookies gives the names something of the client, its origin and its provider, because cookies ignore ports: two
// applications on two ports of localhost would overwrite each other's. And an answer of one provider never meets the
// request that was sent to another (RFC 9700 §4.4, mix-up). On https the prefix __Host- keeps other hosts of the domain from
// planting a cookie (RFC 6265bis §4.1.3.2).
func newCookies(c Config) (cookies, error) {
	origin := oidc.Origin(c.RedirectURI)
	sum := sha256.Sum256([]byte(c.ClientID + "\x00" + origin + "\x00" + c.Issuer))
	name := "rp_" + hex.EncodeToString(sum[:4])
	secure := strings.HasPrefix(origin, "https:")
	if secure {
		name = "__Host-" + name
	}
	codecs, err := newCodecs(c.CookieKeys)
	return cookies{codecs: codecs, secure: secure, session: name + "_session", flow: name + "_flow_", posted: name + "_posted_"}, err
}

// newCodecs derives two keys from each of ours: one authenticates, one encrypts. Age is judged by the records inside, by
// Config.Now, so securecookie's own clock is switched off.
func newCodecs(keys [][]byte) ([]securecookie.Codec, error) {
	var codecs []securecookie.Codec
	for _, key := range keys {
		hashKey, err := hkdf.Key(sha256.New, key, nil, "hush rp cookie: authenticate", 32)
		if err != nil {
			return nil, fmt.Errorf("rp: CookieKeys: %w", err)
		}
		blockKey, err := hkdf.Key(sha256.New, key, nil, "hush rp cookie: encrypt", 32)
		if err != nil {
			return nil, fmt.Errorf("rp: CookieKeys: %w", err)
		}
		codec := securecookie.New(hashKey, blockKey).MaxAge(0).SetSerializer(securecookie.JSONEncoder{})
		codecs = append(codecs, codec)
	}
	return codecs, nil
}

// set seals value into a cookie. maxAge 0 lets the cookie end with the browser.
func (c cookies) set(w http.ResponseWriter, name string, value any, maxAge time.Duration) error {
	sealed, err := securecookie.EncodeMulti(name, value, c.codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(name, sealed, int(maxAge.Seconds())))
	return nil
}

// get opens the cookie called name; a missing, changed or foreign one is false.
func (c cookies) get(r *http.Request, name string, into any) bool {
	cookie, err := r.Cookie(name)
	return err == nil && securecookie.DecodeMulti(name, cookie.Value, into, c.codecs...) == nil
}

func (c cookies) remove(w http.ResponseWriter, name string) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

// cookie: SameSite=Lax, because the answer to a login arrives by a top-level navigation from another site, which Strict
// would not survive.
func (c cookies) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	}
}
