package dev_test

import (
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idptest"
)

// The header leads to the demo app only while it seems to run.
func TestTheHeaderLeadsToTheDemoOnlyWhileItRuns(t *testing.T) {
	a := api{t, idptest.Start(t, nil)}
	const demo, link = "http://app.localhost:9090", `href="http://app.localhost:9090/"`
	check := func(when string, want bool) {
		t.Helper()
		_, page, _ := a.send("GET", "/", "", "Accept", "text/html")
		if got := strings.Contains(string(page), link); got != want {
			t.Errorf("%s the header leads to the demo: %t; want %t", when, got, want)
		}
		if strings.Contains(string(page), ">Demo app<") != want || !strings.Contains(string(page), `href="/console"`) {
			t.Errorf("%s the page leads to another demo, or not to the console", when)
		}
	}
	check("of a provider that runs alone", false)
	a.do(403, "GET", "/console/token", "", "Origin", "http://app.example")
	a.send("GET", "/.well-known/openid-configuration", "", "Origin", demo) // so does every app
	check("after requests of others", false)
	a.do(200, "GET", "/console/token", "", "Origin", demo)
	check("after a page of the demo was opened", true)
	a.provider.Clock.Pass(10 * time.Minute)
	check("ten minutes later", false)
}

func TestTheHeaderLeadsToTheConsoleWithoutOtherOrigins(t *testing.T) {
	a := api{t, idptest.Start(t, func(c *idp.Config) { c.ConsoleOrigins = []string{} })}
	if _, page, _ := a.send("GET", "/", "", "Accept", "text/html"); !strings.Contains(string(page), `href="/console"`) {
		t.Error("with an empty list console_origins the header does not lead to the console")
	}
}
