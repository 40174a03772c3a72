package rp

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"github.com/hush-idp/hush/oidc"
)

const (
	postedLifetime = time.Minute // from the POST to the GET that follows at once
	maxPosted      = 1 << 10     // bytes; in all cookies together they stay below what servers take
	postedParam    = "posted"
)

// posted is an answer on its way from the provider's POST to a request that carries this application's cookies.
type posted struct {
	Answer string
	Exp    time.Time
}

// takePosted receives an answer by form_post (OAuth 2.0 Form Post Response Mode §2). The POST comes from another site, so the browser
// withholds the Lax cookies of the flow. It brings them along to the redirect that follows; the answer travels there in a
// sealed cookie, and so stays out of addresses.
func (p *RP) takePosted(w http.ResponseWriter, r *http.Request) {
	answer, err := readAnswer(w, r)
	if err == nil && len(answer) > maxPosted {
		err = oidc.InvalidRequest.Errorf("the provider's answer has %d bytes, at most %d are kept", len(answer), maxPosted)
	}
	if err != nil {
		p.fail(w, r, nil, err)
		return
	}
	name := postedName(answer)
	err = p.cookies.set(w, p.postedCookie(name), posted{answer, p.config.Now().Add(postedLifetime)}, postedLifetime)
	if err != nil {
		p.fail(w, r, nil, err)
		return
	}
	redirect(w, r, withParams(p.config.RedirectURI, url.Values{postedParam: {name}}))
}

// postedName tells answers apart.
func postedName(answer string) string {
	sum := sha256.Sum256([]byte(answer))
	return hex.EncodeToString(sum[:8])
}

// postedCookie is one of four: some for the tabs of a user, and no more, since any site can make a browser post answers here, and
// a server takes only so many cookies.
func (p *RP) postedCookie(name string) string {
	return p.cookies.posted + string('0'+name[0]&3)
}

// answer is the provider's, from the query or from where takePosted has put it.
func (p *RP) answer(w http.ResponseWriter, r *http.Request) string {
	name := r.URL.Query().Get(postedParam)
	if p.config.ResponseMode != responseModeFormPost || name == "" {
		return r.URL.RawQuery
	}
	var kept posted
	found := p.cookies.get(r, p.postedCookie(name), &kept)
	if !found || postedName(kept.Answer) != name || !p.config.Now().Before(kept.Exp) {
		return ""
	}
	p.cookies.remove(w, p.postedCookie(name))
	return kept.Answer
}
