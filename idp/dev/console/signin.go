package console

import (
	"cmp"
	"net/http"

	"github.com/hush-idp/hush/idp/session"
)

// signInBody is the body of POST /console/sessions.
type signInBody struct {
	// User is a username, an email address or a sub.
	User string `json:"user"`
	// ACR is the acr of the sign-in. Default: "1", a password.
	ACR string `json:"acr,omitempty"`
	// AMR is the amr of the sign-in. Default: ["pwd"].
	AMR []string `json:"amr,omitempty"`
}

// signInAnswer is the session that began, and the cookies that open it. The answer sets them too.
type signInAnswer struct {
	Session sessionAnswer   `json:"session"`
	Cookies []browserCookie `json:"cookies"`
}

// browserCookie has the members that Playwright's addCookies and WebDriver's Add Cookie take.
type browserCookie struct {
	Name     string `json:"name"`
	Value    string `json:"value"`
	URL      string `json:"url"` // of the issuer, and a slash: Playwright takes the Path from it
	HTTPOnly bool   `json:"httpOnly"`
	Secure   bool   `json:"secure"`
	SameSite string `json:"sameSite"` // None or Lax
}

// signIn is POST /console/sessions: a user signs in without a page. The session is that of the cookies of the request,
// or a new one.
func (e *Endpoint) signIn(w http.ResponseWriter, r *http.Request) (any, error) {
	var body signInBody
	if err := readJSON(r, &body); err != nil {
		return nil, err
	}
	user, err := e.userNamed(body.User)
	if err != nil {
		return nil, err
	}
	account := session.Account{Sub: user.Sub, ACR: cmp.Or(body.ACR, "1"), AMR: body.AMR}
	if len(account.AMR) == 0 {
		account.AMR = []string{"pwd"}
	}
	s, err := e.Sessions.SignIn(w, r, account)
	if err != nil {
		return nil, err
	}
	return signInAnswer{e.sessionAnswer(*s), e.cookiesOf(w.Header())}, nil
}

func (e *Endpoint) cookiesOf(h http.Header) []browserCookie {
	cookies := []browserCookie{}
	for _, line := range h.Values("Set-Cookie") {
		if set, err := http.ParseSetCookie(line); err == nil {
			cookies = append(cookies,
				browserCookie{set.Name, set.Value, e.Issuer + "/", set.HttpOnly, set.Secure, SameSiteOf(set)})
		}
	}
	return cookies
}
