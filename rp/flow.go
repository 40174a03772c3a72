package rp

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/securecookie"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	flowLifetime = 10 * time.Minute // from the authorization request to its answer
	maxFlows     = 5                // of each kind, silent or not, in one browser; a cookie of about 1 kB each
	minCookieKey = 32               // bytes
)

// flow is the state of one authorization request until its answer comes. Each flow has an encrypted cookie of its own,
// so that several tabs, and a silent renewal beside a login, are independent.
type flow struct {
	State        string
	Nonce        string
	CodeVerifier string
	Exp          time.Time
	Silent       bool
	ReturnTo     string `json:",omitempty"`
	MaxAge       *int64 `json:",omitempty"` // seconds; nil: not asked for
	// SessionID is the session that a silent flow renews; empty when there was none.
	SessionID string `json:",omitempty"`
	// Failed is the reason why the provider was not asked. Only silent flows are stored with it.
	Failed *oidc.Error `json:",omitempty"`
}

// newFlow makes new secrets: state and nonce of 130 bits, a verifier of 256 (RFC 7636 §4.1).
func (p *RP) newFlow() *flow {
	exp := p.config.Now().Add(flowLifetime)
	return &flow{State: rand.Text(), Nonce: rand.Text(), CodeVerifier: oauth2.GenerateVerifier(), Exp: exp}
}

// storeFlow sets the flow's cookie and removes stale ones.
func (p *RP) storeFlow(w http.ResponseWriter, r *http.Request, f *flow) error {
	p.removeOldFlows(w, r, f.Silent)
	return p.cookies.set(w, p.flowCookie(f.State), f, flowLifetime)
}

// flowCookie names the cookie by a hash, because state comes from outside.
func (p *RP) flowCookie(state string) string { return p.cookies.flow + shortHash(state) }

func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// removeOldFlows removes the cookies of expired flows, and the oldest flows of the given kind beyond maxFlows. The two
// kinds are counted apart, so that failing renewals do not remove the flow of a user at the sign-in page.
func (p *RP) removeOldFlows(w http.ResponseWriter, r *http.Request, silent bool) {
	exp := map[string]time.Time{}
	for _, cookie := range r.Cookies() {
		if !strings.HasPrefix(cookie.Name, p.cookies.flow) {
			continue
		}
		var f flow
		if !p.cookies.get(r, cookie.Name, &f) || !p.config.Now().Before(f.Exp) {
			p.cookies.remove(w, cookie.Name)
			continue
		}
		if f.Silent == silent {
			exp[cookie.Name] = f.Exp
		}
	}
	newestFirst := slices.SortedFunc(maps.Keys(exp), func(a, b string) int { return exp[b].Compare(exp[a]) })
	for i := maxFlows - 1; i < len(newestFirst); i++ {
		p.cookies.remove(w, newestFirst[i])
	}
}

// takeFlow finds the flow of state and spends it: a second request with the same state, also at the same time, gets
// InvalidState. The flow is nil when none was found.
func (p *RP) takeFlow(w http.ResponseWriter, r *http.Request, state string, silent bool) (*flow, error) {
	var f flow
	name := p.flowCookie(state)
	found := p.cookies.get(r, name, &f)
	if !found || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 || f.Silent != silent {
		return nil, InvalidState.Errorf("no sign-in of this browser belongs to this answer: it is finished already, "+
			"was begun in another browser or at another host name than that of %s, or its cookie is gone; start again",
			p.config.redirectURI(silent))
	}
	p.cookies.remove(w, name)
	if !p.config.Now().Before(f.Exp) {
		return &f, InvalidState.Errorf("the answer came later than %v after the request: start again", flowLifetime)
	}
	return &f, spendOnce(r.Context(), p.spent, state, flowLifetime,
		InvalidState.Errorf("this answer has been used before: start again"))
}

// cookies encrypts and names this client's cookies.
type cookies struct {
	codecs  []securecookie.Codec
	secure  bool
	session string // the name of the session cookie
	flow    string // the prefix of the names of the cookies of flows
	posted  string // the prefix of the names of the cookies of posted answers
}

// newCookies makes the names unique for the client, its origin and its provider: cookies ignore ports, and an answer of
// one provider never matches the request to another (RFC 9700 §4.4, mix-up). On https the prefix __Host- keeps other
// hosts of the domain from setting a cookie (RFC 6265bis §4.1.3.2).
func newCookies(c Config) (cookies, error) {
	origin := oidc.Origin(c.RedirectURI)
	sum := sha256.Sum256([]byte(c.ClientID + "\x00" + origin + "\x00" + c.Issuer))
	name := "rp_" + hex.EncodeToString(sum[:4])
	secure := strings.HasPrefix(origin, "https:")
	if secure {
		name = "__Host-" + name
	}
	codecs, err := newCodecs(c.CookieKeys)
	return cookies{codecs, secure, name + "_session", name + "_flow_", name + "_posted_"}, err
}

// newCodecs derives an authentication key and an encryption key from each of keys. The records inside expire by
// Config.Now, so the clock of securecookie is switched off.
func newCodecs(keys [][]byte) (codecs []securecookie.Codec, err error) {
	for _, key := range keys {
		var derived [2][]byte
		for i, use := range []string{"authenticate", "encrypt"} {
			if derived[i], err = hkdf.Key(sha256.New, key, nil, "hush rp cookie: "+use, 32); err != nil {
				return nil, fmt.Errorf("rp: CookieKeys: %w", err)
			}
		}
		codecs = append(codecs, securecookie.New(derived[0], derived[1]).MaxAge(0).SetSerializer(securecookie.JSONEncoder{}))
	}
	return codecs, nil
}

// set encrypts value into a cookie. With maxAge 0 the cookie ends with the browser.
func (c cookies) set(w http.ResponseWriter, name string, value any, maxAge time.Duration) error {
	sealed, err := securecookie.EncodeMulti(name, value, c.codecs...)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.cookie(name, sealed, int(maxAge.Seconds())))
	return nil
}

// get decrypts the cookie called name; it returns false for a missing, changed or foreign one.
func (c cookies) get(r *http.Request, name string, into any) bool {
	cookie, err := r.Cookie(name)
	return err == nil && securecookie.DecodeMulti(name, cookie.Value, into, c.codecs...) == nil
}

func (c cookies) remove(w http.ResponseWriter, name string) {
	http.SetCookie(w, c.cookie(name, "", -1))
}

// cookie is SameSite=Lax: the answer to a login is a top-level navigation from another site, which gets no Strict
// cookies.
func (c cookies) cookie(name, value string, maxAge int) *http.Cookie {
	return &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	}
}
