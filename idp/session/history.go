package session

import (
	"net"
	"net/http"

	lru "github.com/hashicorp/golang-lru/v2"
)

// CookieHistory decorates a Manager in development mode: it records which of the two session cookies each browser sent
// last. So it detects a browser that has the Lax cookie only, because it rejected the SameSite=None cookie, as WebKit
// does over http. It identifies browsers by address and User-Agent, which several browsers may share, so its answer is
// not certain.
//
// At a sign-in it also sets a marker, a cookie that a sign-out does not remove. A request with the marker and without a
// session cookie proves that nobody is signed in. (Firefox does not always say whether it sends cookies.)
type CookieHistory struct {
	*Manager
	laxOnly *lru.Cache[string, bool] // by browser: whether it sent the Lax cookie only
}

// maxBrowsers is the maximum number of browsers in a CookieHistory.
const maxBrowsers = 1000

// NewCookieHistory returns an empty history of the manager's cookies.
func NewCookieHistory(manager *Manager) *CookieHistory {
	browsers, _ := lru.New[string, bool](maxBrowsers) // fails for sizes below 1 only
	return &CookieHistory{Manager: manager, laxOnly: browsers}
}

// Current is Manager.Current, with LaxOnly in place of Withheld and NoCookie where that is likely, and NoCookie in
// place of Withheld and Denied where the marker proves it.
func (h *CookieHistory) Current(r *http.Request) (*Session, error) {
	s, err := h.Manager.Current(r)
	laxOnly, _ := h.laxOnly.Peek(browserOf(r))
	switch arrived := h.Cookies.Arrived(r); {
	case len(arrived) > 0:
		h.laxOnly.Add(browserOf(r), arrived[0] != h.Cookies.Names()[0])
	case (err == Withheld || err == NoCookie) && isCrossSiteFrame(r) && laxOnly:
		return nil, LaxOnly
	case (err == Withheld || err == Denied) && len(r.CookiesNamed(h.marker())) > 0:
		return nil, NoCookie
	}
	return s, err
}

// SignIn is Manager.SignIn, and sets the marker.
func (h *CookieHistory) SignIn(w http.ResponseWriter, r *http.Request, account Account) (*Session, error) {
	s, err := h.Manager.SignIn(w, r, account)
	if err == nil {
		http.SetCookie(w, &http.Cookie{
			Name: h.marker(), Value: "somebody-signed-in-here", Path: h.Cookies.path,
			MaxAge: int(h.Absolute.Seconds()), HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode,
		})
	}
	return s, err
}

func (h *CookieHistory) marker() string { return h.Cookies.Names()[0] + "-seen" }

// SignOut is Manager.SignOut. It removes the browser's cookies, so the history forgets the browser.
func (h *CookieHistory) SignOut(w http.ResponseWriter, r *http.Request) ([]Ended, error) {
	h.laxOnly.Remove(browserOf(r))
	return h.Manager.SignOut(w, r)
}

// Len is the number of browsers in the history.
func (h *CookieHistory) Len() int { return h.laxOnly.Len() }

func browserOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return host + " " + r.UserAgent()
}
