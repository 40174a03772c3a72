package rp

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	flowLifetime = 10 * time.Minute // from the authorization request to its answer
	maxFlows     = 5                // of each kind, silent or not, in one browser; a cookie of about 1 kB each
)

// flow is what an authorization request must remember until its answer comes. It lives in an encrypted cookie of its
// own, so several tabs, and a silent renewal beside a login, do not disturb one another.
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
	// Failed is why the provider was never asked. Only a silent flow is kept in spite of that.
	Failed *oidc.Error `json:",omitempty"`
}

// newFlow draws fresh secrets: state and nonce of 130 bits, a verifier of 256 (RFC 7636 §4.1).
func (p *RP) newFlow() *flow {
	return &flow{
		State:        rand.Text(),
		Nonce:        rand.Text(),
		CodeVerifier: oauth2.GenerateVerifier(),
		Exp:          p.config.Now().Add(flowLifetime),
	}
}

// keepFlow sets the flow's cookie and sweeps out stale ones.
func (p *RP) keepFlow(w http.ResponseWriter, r *http.Request, f *flow) error {
	p.sweepFlows(w, r, f.Silent)
	return p.cookies.set(w, p.flowCookie(f.State), f, flowLifetime)
}

// flowCookie names the cookie by a hash, since state comes back from outside.
func (p *RP) flowCookie(state string) string {
	sum := sha256.Sum256([]byte(state))
	return p.cookies.flow + hex.EncodeToString(sum[:8])
}

// sweepFlows removes the cookies of flows that nobody can finish any more, and the oldest of the kind that is about to
// begin when there are too many: renewals that come to nothing must not push out the login of a user who is still
// typing.
func (p *RP) sweepFlows(w http.ResponseWriter, r *http.Request, silent bool) {
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

// takeFlow finds the flow that state belongs to and spends it: whoever presents the same state again, or loses the race
// for it, gets InvalidState, so that a page mounted twice does not send its code twice. The flow is nil when there was
// none.
func (p *RP) takeFlow(w http.ResponseWriter, r *http.Request, state string, silent bool) (*flow, error) {
	var f flow
	name := p.flowCookie(state)
	found := p.cookies.get(r, name, &f)
	if !found || subtle.ConstantTimeCompare([]byte(f.State), []byte(state)) != 1 || f.Silent != silent {
		return nil, InvalidState.Errorf("no sign-in of this browser belongs to this answer: it is finished already, was begun in another browser "+
			"or at another host name than that of %s, or its cookie is gone; start again", p.config.redirectURI(silent))
	}
	p.cookies.remove(w, name)
	if !p.config.Now().Before(f.Exp) {
		return &f, InvalidState.Errorf("the answer came later than %v after the request: start again", flowLifetime)
	}
	return &f, p.spend(r.Context(), state)
}

func (p *RP) spend(ctx context.Context, state string) error {
	return p.spent.Update(ctx, state, flowLifetime, func(old *bool) (*bool, error) {
		if old != nil {
			return nil, InvalidState.Errorf("this answer has been used before: start again")
		}
		return new(true), nil
	})
}
