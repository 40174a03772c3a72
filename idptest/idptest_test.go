package idptest_test

import (
	"testing"
	"time"

	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/oidc"
)

// TestASilentRenewalThatFails is how an application is tested against a failing provider; here a Browser stands for it.
func TestASilentRenewalThatFails(t *testing.T) {
	provider := idptest.Start(t, nil)
	app := provider.Browser(t)
	app.SignIn("alice")

	fault := provider.Fail(t, lab.Fault{Fault: lab.SessionExpired, Client: "spa"})
	answer := app.Authorize(idptest.Request("spa", "prompt", "none"))
	if got := answer.Location.Query().Get("error"); got != string(oidc.LoginRequired) {
		t.Errorf("the application reads error=%s; want login_required", got)
	}
	if flow := provider.LastFlow(t); len(flow.Reasons) != 1 || flow.Reasons[0].Code != string(oidc.SessionExpired) {
		t.Errorf("the reasons are %v; want session.expired", flow.Reasons)
	}
	if over := provider.Lab().Ended(); len(over) != 1 || over[0].ID != fault.ID || over[0].Used != 1 {
		t.Errorf("the faults that are over: %+v; want this one, used once", over)
	}
	app.Tokens("spa", app.Code(idptest.Request("spa", "prompt", "none"))) // the next renewal is right again
}

// TestTimePasses: a session, a code and a token end when the test says so.
func TestTimePasses(t *testing.T) {
	provider := idptest.Start(t, nil)
	app := provider.Browser(t)
	app.SignIn("alice")
	provider.Clock.Pass(3 * time.Hour)
	app.Authorize(idptest.Request("spa", "prompt", "none"))
	if flow := provider.LastFlow(t); len(flow.Reasons) != 1 || flow.Reasons[0].Code != string(oidc.SessionIdle) {
		t.Errorf("after three hours the reasons are %v; want session.idle", flow.Reasons)
	}
}
