package check_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/dev/check"
	"github.com/hush-idp/hush/trace"
)

func TestEachCheckThatFailsHasARemedy(t *testing.T) {
	other, _ := check.LibraryByName(check.Other)
	for _, c := range check.Checks() {
		if other.Remedies[c.Name] == "" && c.Name != "request.iframe" {
			t.Errorf("libraries.yaml has no common remedy for %s", c.Name)
		}
	}
}

func TestEachRemedyIsForACheck(t *testing.T) {
	for _, l := range check.Libraries() {
		for name, text := range l.Remedies {
			if !slices.ContainsFunc(check.Checks(), func(c check.Check) bool { return c.Name == name }) {
				t.Errorf("%s has a remedy for %s, which is no check", l.Name, name)
			}
			if text == "" {
				t.Errorf("the remedy of %s for %s is empty", l.Name, name)
			}
		}
		for action := range l.Calls {
			if !slices.Contains([]check.Action{check.SignIn, check.Renew, check.SignOut}, action) {
				t.Errorf("%s has code for %s, which no developer does", l.Name, action)
			}
		}
	}
}

// The times stand in package trace; a name that differs would be no library here.
func TestEachLibraryWithATimeIsOffered(t *testing.T) {
	for _, known := range trace.Libraries() {
		if l, ok := check.LibraryByName(known.Name); !ok || l.Offset() != known {
			t.Errorf("%s: %+v", known.Name, l)
		}
	}
}

func TestALibraryInsideAnotherHasTheSameRemedies(t *testing.T) {
	s := newScene(t)
	s.use(t, "react-oidc-context")
	s.renews(nil, values{"id_token_hint": ""})
	s.redeems(60)
	if got := s.finding(t, "request.hint"); !strings.Contains(got.Remedy, "includeIdTokenInSilentRenew") {
		t.Errorf("got %+v", got)
	}
	if got := s.finding(t, "lifetime.offset"); got.Outcome != check.Fails {
		t.Errorf("got %+v", got)
	}
}

func TestTheRemedyIsForTheLibrary(t *testing.T) {
	for library, want := range map[string]string{
		"other": "Send the last ID token as id_token_hint", "angular-oauth2-oidc": "useIdTokenHintForSilentRefresh",
		"MSAL": "loginHint", "keycloak-js": "sends no id_token_hint",
	} {
		s := newScene(t)
		s.use(t, library)
		s.renews(nil, values{"id_token_hint": ""})
		if got := s.finding(t, "request.hint"); !strings.Contains(got.Remedy, want) {
			t.Errorf("%s: got %q; want %q", library, got.Remedy, want)
		}
	}
}

func TestARemedyNamesTheAddressesOfTheApp(t *testing.T) {
	s := newScene(t)
	s.renews(nil, values{"redirect_uri": app + "/silent"})
	if got := s.finding(t, "redirect.registered"); !strings.Contains(got.Remedy, "Register "+app+"/silent, or") {
		t.Errorf("got %q", got.Remedy)
	}
}

func TestALibraryThatNeedsAResponseMode(t *testing.T) {
	s := newScene(t)
	s.use(t, "auth0-spa-js")
	s.renews(nil)
	if got := s.finding(t, "request.response_mode"); got.Outcome != check.Fails {
		t.Errorf("got %+v", got)
	}
}

func TestTheLibraryIsInferredFromARequest(t *testing.T) {
	for want, params := range map[string]values{
		"oidc-client-ts": {"state": "0123456789abcdef0123456789abcdef;more"},
		"keycloak-js":    {"state": "5bd3e0a6-7a58-4a0e-8f5d-0a4a3a0f0c11", "response_mode": "fragment"},
		"auth0-spa-js":   {"state": "a1", "auth0Client": "eyJuYW1lIjoiYXV0aDAtc3BhLWpzIn0="},
		"MSAL":           {"state": "a1", "x-client-SKU": "msal.js.browser"},
		"other":          {"state": "mine"},
	} {
		s := newScene(t)
		s.renews(nil, params)
		if got := check.Infer("app", s.hub.Flows()); got.Name != want {
			t.Errorf("got %s; want %s", got.Name, want)
		}
	}
	if got := check.Infer("app", nil); got.Name != check.Other {
		t.Errorf("without a request it is %s", got.Name)
	}
}

func TestTheLibraryIsNotInferredFromTheConsole(t *testing.T) {
	s := newScene(t)
	s.renews(nil)
	s.triesIt(nil)
	if got := check.Infer("app", check.OfApps(s.hub.Flows())); got.Name != "oidc-client-ts" {
		t.Errorf("got %s", got.Name)
	}
}

// Without a known library the trace's own diagnosis decides.
func TestTheLifetimeForAnUnknownLibrary(t *testing.T) {
	for lifetime, want := range map[int]check.Outcome{60: check.Fails, 90: check.CannotSee, 600: check.Holds} {
		s := newScene(t)
		s.use(t, check.Other)
		s.renews(nil)
		s.redeems(lifetime)
		if got := s.finding(t, "lifetime.offset"); got.Outcome != want {
			t.Errorf("%d s: got %+v", lifetime, got)
		}
	}
	s := newScene(t)
	s.use(t, "angular-oauth2-oidc")
	s.renews(nil)
	s.redeems(30)
	if got := s.finding(t, "lifetime.offset"); got.Outcome != check.Holds || !strings.Contains(got.Seen,
		"timeoutFactor") {
		t.Errorf("got %+v", got)
	}
}
