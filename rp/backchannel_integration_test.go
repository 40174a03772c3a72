package rp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/rp"
)

// TestBackChannelLogoutByTheRealProvider: a sign-out at the provider, in another tab, reaches this application by the
// back channel.
func TestBackChannelLogoutByTheRealProvider(t *testing.T) {
	received := make(chan int, 8)
	var h *testbed
	mux := http.NewServeMux()
	mux.HandleFunc("POST /back-channel", func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		h.BackChannelLogout(recorder, r)
		w.WriteHeader(recorder.Code)
		received <- recorder.Code
	})
	back := httptest.NewServer(mux)
	defer back.Close()
	h = newTestbedAt(t, idptest.Start(t, registered(func(c *oidc.Client) {
		c.FirstParty, c.BackchannelLogoutURI, c.BackchannelLogoutSessionRequired = true, back.URL+"/back-channel", true
	})), func(c *rp.Config) { c.ClientSecret = "web-secret-of-thirty-two-bytes-or-more" })
	h.browser.SignIn("alice")
	h.follow(h.browser.Get(h.app+"/web/login"), "")
	session, err := h.Session(h.request())
	if err != nil || session.Sid == "" {
		t.Fatalf("Back-Channel Logout §2.1: no session with a sid: %v", err)
	}
	monitor := h.browser.Get(h.app + "/web/monitor")
	if m := monitor.JSON(t); monitor.Status != http.StatusOK || m["session_state"] != session.SessionState ||
		m["check_session_iframe"] == "" {
		t.Errorf("Session Management §3: %d %v", monitor.Status, m)
	}
	h.provider.Clock.Pass(time.Second)
	h.browser.Submit(h.browser.Get("/logout"), url.Values{"decision": {"sign_out"}})
	select {
	case code := <-received:
		if code != http.StatusOK {
			t.Errorf("Back-Channel Logout §2.8: the application answered %d", code)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("Back-Channel Logout §2.5: no logout token came")
	}
	if _, err := h.Session(h.request()); err != rp.ErrNoSession {
		t.Errorf("Back-Channel Logout §2.7: the session is still there: %v", err)
	}
}
