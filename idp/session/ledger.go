package session

import (
	"container/list"
	"net"
	"net/http"
	"sync"
)

// Ledger stands before a Manager in development mode and remembers which of the two session cookies each browser last
// brought. So it can tell a third case where no cookie comes in a cross-site iframe: a browser that refused the
// SameSite=None cookie, as WebKit does over http, and has the Lax one only.
//
// At a sign-in it also leaves a mark in the browser, a cookie without content that a sign-out does not take away: where that
// arrives, a session cookie would have, so that its absence means that nobody is signed in. (Firefox does not always say
// whether it lets cookies through.)
//
// It knows browsers by address and User-Agent, which several may share: its word is likely, not certain.
type Ledger struct {
	*Manager

	mutex    sync.Mutex
	browsers map[string]*list.Element // of entry
	order    list.List                // the one seen last in front
}

type entry struct {
	browser string
	laxOnly bool
}

// maxBrowsers bounds the ledger.
const maxBrowsers = 1000

// NewLedger returns an empty ledger before manager.
func NewLedger(manager *Manager) *Ledger {
	return &Ledger{Manager: manager, browsers: map[string]*list.Element{}}
}

// Current is that of the Manager, with LaxOnly in the place of Withheld and NoCookie where it is likely, and NoCookie in the
// place of Withheld where the mark proves it.
func (l *Ledger) Current(r *http.Request) (*Session, error) {
	s, err := l.Manager.Current(r)
	switch arrived := l.Cookies.Arrived(r); {
	case len(arrived) > 0:
		l.note(browserOf(r), arrived[0] != l.Cookies.Names()[0])
	case (err == Withheld || err == NoCookie) && isCrossSiteFrame(r) && l.laxOnly(browserOf(r)):
		return nil, LaxOnly
	case err == Withheld && len(r.CookiesNamed(l.mark())) > 0:
		return nil, NoCookie
	}
	return s, err
}

// SignIn is that of the Manager, and leaves the mark.
func (l *Ledger) SignIn(w http.ResponseWriter, r *http.Request, account Account) (*Session, error) {
	s, err := l.Manager.SignIn(w, r, account)
	if err == nil {
		http.SetCookie(w, &http.Cookie{
			Name: l.mark(), Value: "somebody-signed-in-here", Path: "/", MaxAge: int(l.Absolute.Seconds()), HttpOnly: true, Secure: true, SameSite: http.SameSiteNoneMode,
		})
	}
	return s, err
}

func (l *Ledger) mark() string { return l.Cookies.Names()[0] + "-seen" }

// SignOut is that of the Manager. It takes the cookies out of the browser, so the ledger forgets what it had: from then on nobody
// is signed in, whichever cookies the browser takes.
func (l *Ledger) SignOut(w http.ResponseWriter, r *http.Request) ([]Ended, error) {
	l.forget(browserOf(r))
	return l.Manager.SignOut(w, r)
}

func (l *Ledger) forget(browser string) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if known, ok := l.browsers[browser]; ok {
		l.order.Remove(known)
		delete(l.browsers, browser)
	}
}

func (l *Ledger) note(browser string, laxOnly bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if known, ok := l.browsers[browser]; ok {
		known.Value = entry{browser, laxOnly}
		l.order.MoveToFront(known)
		return
	}
	l.browsers[browser] = l.order.PushFront(entry{browser, laxOnly})
	if l.order.Len() > maxBrowsers {
		delete(l.browsers, l.order.Remove(l.order.Back()).(entry).browser)
	}
}

// Len is how many browsers the ledger remembers.
func (l *Ledger) Len() int {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.order.Len()
}

func (l *Ledger) laxOnly(browser string) bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	known, ok := l.browsers[browser]
	return ok && known.Value.(entry).laxOnly
}

func browserOf(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return host + " " + r.UserAgent()
}
