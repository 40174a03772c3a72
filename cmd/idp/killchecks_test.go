package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// checkFlows checks that everything acknowledged is there, and that a one-time value was accepted once.
func (s *killTest) checkFlows() {
	s.Helper()
	s.checkFamilies()
	each(s, s.flows.clients, func(v *visitor, client registeredClient) error {
		return v.try(func() {
			if page := v.do(http.MethodGet, client.path, client.token, ""); page.Status != http.StatusOK {
				v.attempt.Fatalf("RFC 7592 §2.1 a client that was registered: %d %s", page.Status, page.Body)
			}
		})
	})
	each(s, s.flows.devices.given, func(v *visitor,
		code string) error {
		return v.refusal(deviceForm(code), "authorization_pending")
	})
	s.checkOnce(&s.flows.pushed, "a pushed request", (*visitor).usePushed, (*visitor).isUsedUp)
	s.checkOnce(&s.flows.allowed, "a device that was allowed",
		func(v *visitor, code string) error { return v.tokensOf(deviceForm(code)) },
		func(v *visitor, code string) error { return v.refusal(deviceForm(code), "invalid_grant") })
	s.checkOnce(&s.flows.assertions, "an assertion",
		func(v *visitor, assertion string) error { return v.tokensOf(robotForm(assertion)) },
		func(v *visitor, assertion string) error { return v.refusal(robotForm(assertion), "invalid_client") })
	s.flows.devices = once{}
}

// checkOnce checks that each value is accepted once: an unused value is, a used value is not, and a value whose use had
// no answer may be either. After that no value is.
func (s *killTest) checkOnce(things *once, what string, use, refused func(*visitor, string) error) {
	s.Helper()
	as := func(do func(v *visitor, thing string) error) func(*visitor, string) error {
		return func(v *visitor, thing string) error {
			v.SetCookies(s.people[0].Cookies())
			if err := do(v, thing); err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			return nil
		}
	}
	each(s, things.given, as(use))
	each(s, things.unsure, as(func(v *visitor, thing string) error {
		if use(v, thing) == nil {
			return nil
		}
		return refused(v, thing)
	}))
	each(s, append(append(things.spent, things.given...), things.unsure...), as(refused))
	*things = once{}
}

// checkFamilies holds that the last token of each family works, and twice with the same successor; that its successors
// do; and that a token of long before ends them all. The first families go on.
func (s *killTest) checkFamilies() {
	s.Helper()
	each(s, s.flows.families[:min(lastingFamilies, len(s.flows.families))], func(v *visitor, family *tokenFamily) error {
		return v.checkFamily(family, false)
	})
	if len(s.flows.families) > lastingFamilies {
		each(s, s.flows.families[lastingFamilies:],
			func(v *visitor, family *tokenFamily) error { return v.checkFamily(family, true) })
		s.flows.families = s.flows.families[:lastingFamilies]
	}
}

func (v *visitor) checkFamily(family *tokenFamily, end bool) error {
	if family.token == "" || !family.unsure.IsZero() && time.Since(family.unsure) > grace {
		*family = tokenFamily{}
		return nil
	}
	old, begin := family.token, time.Now()
	if err := v.try(func() {
		next := v.json("/token", refreshForm(old), http.StatusOK)["refresh_token"]
		again := v.Post("/token", refreshForm(old))
		if time.Since(begin) < grace && (again.Status != http.StatusOK || again.JSON(v.attempt)["refresh_token"] != next) {
			v.attempt.Fatalf("RFC 9700 §4.14.2 the token that was replaced just now gives %d and another successor: %s",
				again.Status, again.Body)
		}
		*family = tokenFamily{token: v.json("/token", refreshForm(next.(string)), http.StatusOK)["refresh_token"].(string)}
	}); err != nil || !end {
		return wrapped("a refresh token that was acknowledged", err)
	}
	if err := v.refusal(refreshForm(old), "invalid_grant"); err != nil {
		return wrapped("RFC 9700 §4.14.2 a token that was replaced", err)
	}
	return wrapped("RFC 9700 §4.14.2 the family of a token that came again",
		v.refusal(refreshForm(family.token), "invalid_grant"))
}

func wrapped(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// isUsedUp tells whether a request_uri is refused.
func (v *visitor) isUsedUp(uri string) error {
	return v.try(func() {
		if page := v.Authorize(pushedRequest(uri)); page.Status != http.StatusBadRequest ||
			!strings.Contains(page.Body, "invalid_request_uri") {
			v.attempt.Fatalf("RFC 9126 §4 a pushed request that was used gives %d %v", page.Status, page.Location)
		}
	})
}

// refusal is nil if the form gives the OAuth error.
func (v *visitor) refusal(form url.Values, code string) error {
	return v.try(func() {
		if page := v.Post("/token", form); page.Status < 400 || page.Status >= 500 ||
			!strings.Contains(page.Body, `"`+code+`"`) {
			v.attempt.Fatalf("%s gives %d %s; want %s", form.Get("grant_type"), page.Status, page.Body, code)
		}
	})
}
