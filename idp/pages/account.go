package pages

import (
	"time"

	"github.com/hush-idp/hush/oidc"
)

type (
	// SignIns is the page of sessions and of apps with access.
	SignIns struct {
		Frame
		People   []Account // accounts signed in with this browser
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
		Since   time.Time // of the consent; zero: there is none
		Lasting bool      // it has refresh tokens, used last at Used
		Used    time.Time
	}
	// CheckSession is the page behind check_session_iframe. Cookies are the names of those with the browser state.
	CheckSession struct {
		Frame
		Cookies string
	}
)

// Several reports whether more than one account is signed in, so that the page must name the account of each entry.
func (s SignIns) Several() bool { return len(s.People) > 1 }
