package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
)

func TestEachPageSaysWhatTheFailureLabDoes(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	pages := []string{"/", "/account", "/logout", "/device", "/console", "/reasons/", "/reasons/session.none", "/nothing"}
	banner := `<strong>Failure lab:</strong>`
	for _, path := range pages {
		if page := b.Get(p.Issuer + path); strings.Contains(page.Body, banner) {
			t.Errorf("%s has the banner while the failure lab does nothing", path)
		}
	}
	p.Fail(t, lab.Fault{Fault: lab.SessionLost, Client: "spa", For: lab.Duration{Duration: time.Minute}})
	forward(t, p, time.Minute)
	for _, path := range pages {
		page := b.Get(p.Issuer + path)
		for _, want := range []string{banner + " the provider knows nothing of the session (session_lost) for spa, ",
			banner + " the provider&#39;s clock is 1m ahead.", "Turn off"} {
			if !strings.Contains(page.Body, want) {
				t.Errorf("%s lacks %q:\n%s", path, want, page.Body)
			}
		}
	}
	off := b.Submit(b.Get(p.Issuer+"/account"), url.Values{"return_to": {"/account"}})
	if off.Status != http.StatusSeeOther || off.Location.Path != "/account" || p.Lab().Active() {
		t.Errorf("the button gives %d %v, and the lab says %v", off.Status, off.Location, p.Lab().Notices())
	}
}

func TestAPageUnderAForeignNameCannotTurnTheLabOff(t *testing.T) {
	p := idptest.Start(t, nil)
	forward(t, p, time.Minute)
	r := get(t, http.MethodGet, p.Issuer+"/nothing", nil)
	r.Host = "rebound.example.com"
	if w := serve(p, r); strings.Contains(w.Body.String(), `action="/console/lab/off"`) {
		t.Errorf("the page has the console's token:\n%s", w.Body)
	}
}

func TestAnErrorSaysThatTheFailureLabCausedIt(t *testing.T) {
	silent := idptest.Request("spa", "prompt", "none")
	for _, row := range []struct {
		name, want string
		fault      lab.Fault
		ahead      time.Duration
	}{
		{"no fault", "", lab.Fault{}, 0},
		{"a fault of another client", "", lab.Fault{Fault: lab.SessionLost, Client: "web"}, 0},
		{"a lost session", "(failure lab: caused by the fault session_lost) [session.unknown]",
			lab.Fault{Fault: lab.SessionLost}, 0},
		{"a Lax cookie", "(failure lab: caused by the fault cookie_samesite_lax) [cookie.samesite]",
			lab.Fault{Fault: lab.CookieSameSiteLax}, 0},
		{"an error", "(failure lab: caused by the fault error) [fault.injected]",
			lab.Fault{Fault: lab.Error, Error: "temporarily_unavailable"}, 0},
		{"a moved clock", "(failure lab: the provider's clock is 1000h ahead) [session.", lab.Fault{}, 1000 * time.Hour},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := idptest.Start(t, nil)
			b := p.Browser(t)
			b.SignIn("alice")
			if row.fault.Fault != "" {
				row.fault.Endpoint = "authorize"
				p.Fail(t, row.fault)
			}
			if row.ahead > 0 {
				forward(t, p, row.ahead)
			}
			answer := b.Authorize(silent)
			got := answer.Location.Query().Get("error_description")
			if row.want == "" && got != "" || !strings.Contains(got, row.want) {
				t.Errorf("error_description = %q; want it to end with %q", got, row.want)
			}
		})
	}
}

// A code that expired long ago gets no mark: neither the trace nor the failure lab may say that it has one.
func TestACodeThatExpiredLongAgoIsNotCalledUsed(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	form := tokenForm(b.Code(idptest.Request("spa")))
	p.Fail(t, lab.Fault{Fault: lab.CodeSpent})
	p.Clock.Pass(10 * time.Minute)
	w := serve(p, get(t, http.MethodPost, p.Issuer+"/token", form))
	if body := w.Body.String(); !strings.Contains(body, "[code.expired]") || strings.Contains(body, "failure lab") {
		t.Errorf("the answer is %s", body)
	}
	flow := p.LastFlow(t)
	for _, step := range flow.Records[len(flow.Records)-1].Steps {
		if strings.Contains(step.Text, "marked as used") {
			t.Errorf("a step says that %s", step.Text)
		}
	}
}

func TestATokenErrorSaysThatTheFailureLabCausedIt(t *testing.T) {
	p := idptest.Start(t, nil)
	b := p.Browser(t)
	b.SignIn("alice")
	form := tokenForm(b.Code(idptest.Request("spa")))
	p.Fail(t, lab.Fault{Fault: lab.CodeSpent})
	w := serve(p, get(t, http.MethodPost, p.Issuer+"/token", form))
	if !strings.Contains(w.Body.String(), "(failure lab: caused by the fault code_spent) [code.replayed]") {
		t.Errorf("the answer is %s", w.Body)
	}
}
