package rp

import (
	_ "embed"
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// NotMonitorable says that the provider gave no session_state, or has no check_session_iframe.
const NotMonitorable oidc.ErrorCode = "not_monitorable"

// Monitoring is what a page needs to watch the user's session at the provider (Session Management 1.0 §3).
type Monitoring struct {
	CheckSessionIframe string `json:"check_session_iframe"` // to be loaded in a hidden iframe
	Origin             string `json:"origin"`               // of that iframe: the only one to post to and to hear from
	ClientID           string `json:"client_id"`
	SessionState       string `json:"session_state"`
}

// Monitor tells a page how to watch the session at the provider: GET, a Monitoring as JSON; login_required without a session,
// not_monitorable where the provider does not support it. The script of MonitorScript reads it, and says when the session has
// changed. What to do then is Session Management §3's: renew by SilentLogin; when that finds nobody, SignOutHere. A renewal
// brings a new session_state, so the page asks again.
//
// A page whose Content-Security-Policy has frame-src must list the provider's origin there.
func (p *RP) Monitor(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	m, err := p.monitoring(r)
	if err != nil {
		e := asError(err)
		writeJSON(w, status(e), e)
		return
	}
	writeJSON(w, http.StatusOK, m)
}

func (p *RP) monitoring(r *http.Request) (*Monitoring, error) {
	session, err := p.Session(r)
	if err == ErrNoSession {
		return nil, errNobody
	}
	if err != nil {
		return nil, err
	}
	d, err := p.provider.discover(r.Context())
	if err != nil {
		return nil, err
	}
	iframe := d.metadata.CheckSessionIframe
	if iframe == "" || session.SessionState == "" {
		return nil, NotMonitorable.Errorf("the provider has no check_session_iframe, or gave no session_state (Session Management section 2)")
	}
	return &Monitoring{iframe, oidc.Origin(iframe), p.config.ClientID, session.SessionState}, nil
}

var errNobody = oidc.LoginRequired.Errorf("nobody is signed in here: sign in")

//go:embed monitor.js
var monitorScript []byte

// MonitorScript is an ES module that exports watchSession: GET. See monitor.js.
func (p *RP) MonitorScript(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(monitorScript) // the connection is gone, or it worked
}
