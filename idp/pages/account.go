package pages

import (
	"time"

	"github.com/hush-idp/hush/oidc"
)

type (
	// SignIns is the page where a person sees where they are signed in and which apps have access, and ends either.
	SignIns struct {
		Frame
		People   []Account // who is signed in with this browser; none: the page says so
		Sessions []SignIn
		Others   bool // some of the Sessions are not in this browser
		Access   []Access
	}
	// SignIn is one account in one browser.
	SignIn struct {
		Account Account
		SID     string
		Browser string // in words; may be empty
		This    bool   // the browser that looks at the page
		Since   time.Time
		Seen    time.Time
	}
	// Access is what one app may have of one account.
	Access struct {
		Account Account
		Client  oidc.Client
		Scopes  []ScopeText
		Since   time.Time // zero: it was not asked for
		Lasting bool      // it has refresh tokens, used last at Used
		Used    time.Time
	}
	// CheckSession is the page behind check_session_iframe. Cookies are the names of those with the browser state.
	CheckSession struct {
		Frame
		Cookies string
	}
)

// Several tells whether more than one person is signed in, so that the page has to say whose each thing is.
func (s SignIns) Several() bool { return len(s.People) > 1 }
