package rp

import (
	_ "embed"
	"net/http"

	"github.com/hush-idp/hush/oidc"
)

// Monitoring is the data with which a page watches the user's session at the provider (Session Management 1.0 §3).
type Monitoring struct {
	CheckSessionIframe string `json:"check_session_iframe"` // to be loaded in a hidden iframe
	Origin             string `json:"origin"`               // of that iframe, for postMessage
	ClientID           string `json:"client_id"`
	SessionState       string `json:"session_state"`
}

// Monitor tells a page how to watch the session at the provider: GET, a Monitoring as JSON; login_required without a
// session, not_monitorable where the provider does not support it. MonitorScript reads it and reports a change of the
// session. The page then follows Session Management §3: it renews by SilentLogin, and after login_required calls
// SignOutHere. A renewal brings a new session_state, so the page asks again.
//
// A page whose Content-Security-Policy has frame-src must list the provider's origin there.
func (p *RP) Monitor(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	m, err := p.monitoring(r)
	if err != nil {
		writeError(w, asError(err))
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
		return nil, NotMonitorable.Errorf(
			"the provider has no check_session_iframe, or gave no session_state (Session Management section 2)")
	}
	return &Monitoring{iframe, oidc.Origin(iframe), p.config.ClientID, session.SessionState}, nil
}

//go:embed monitor.js
var monitorScript []byte

// MonitorScript is an ES module that exports watchSession: GET. See monitor.js.
func (p *RP) MonitorScript(w http.ResponseWriter, r *http.Request) {
	if !allow(w, r, http.MethodGet) {
		return
	}
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(monitorScript)
}
