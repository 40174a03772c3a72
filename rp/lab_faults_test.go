package rp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/idptest"
)

// labFaults are bad tokens of the real provider. Each is refused with an error that names the reason, and the session
// stays unchanged.
var labFaults = []struct {
	name  string
	fault lab.Kind
	code  string
	says  string
}{
	{"Core §3.1.3.7 (2) iss is the provider's issuer", lab.WrongIss, "invalid_id_token", "different provider"},
	{"Core §3.1.3.7 (3) aud contains the client_id", lab.WrongAud, "invalid_id_token", "expected audience"},
	{"Core §3.1.3.7 (11) nonce is that of the request", lab.WrongNonce, "invalid_id_token",
		"nonce is the one of the request"},
	{"Core §3.1.3.7 (9) now is before exp", lab.Expired, "invalid_id_token", "expired"},
	{"Core §3.1.3.7 (10) iat is not in the future", lab.FutureIat, "invalid_id_token", "ahead of our clock"},
	{"Core §3.1.3.7 (7) alg is not none", lab.AlgNone, "invalid_id_token", "signature algorithm"},
	{"Core §3.1.3.7 (6) the signature is the provider's", lab.BadSignature, "invalid_id_token",
		"no key of the provider verifies the signature"},
	{"Core §10.1.1 kid is one that the provider publishes, also after its keys are fetched again", lab.UnknownKID,
		"invalid_id_token", "no key of the provider verifies"},
	{"RFC 6749 §4.1.2 the code is good", lab.CodeSpent, "invalid_grant", "does not accept the code"},
}

func TestBadTokensOfTheFailureLab(t *testing.T) {
	for _, row := range labFaults {
		t.Run(row.name, func(t *testing.T) {
			h := newTestbed(t)
			h.browser.SignIn("alice")
			h.renew()
			before, err := h.Session(h.request())
			if err != nil {
				t.Fatal(err)
			}
			h.provider.Fail(t, lab.Fault{Fault: row.fault, Client: "web"})
			status, answer := h.renew()
			if said, _ := answer["error_description"].(string); status == http.StatusOK || answer["error"] != row.code ||
				!strings.Contains(said, row.says) {
				t.Errorf("%d %v, expected %s …%s…", status, answer, row.code, row.says)
			}
			if after, err := h.Session(h.request()); err != nil || after.AccessToken != before.AccessToken {
				t.Errorf("the session changed: %v", err)
			}
			if status, answer := h.renew(); status != http.StatusOK {
				t.Errorf("the provider is right again: %d %v", status, answer)
			}
		})
	}
}

func TestBadTokensOfTheFailureLabAtSignIn(t *testing.T) {
	for _, row := range labFaults {
		t.Run(row.name, func(t *testing.T) {
			h := newTestbed(t)
			h.browser.SignIn("alice")
			h.provider.Fail(t, lab.Fault{Fault: row.fault, Client: "web"})
			page := h.browser.Get(h.app + "/web/login")
			for page.Location != nil && page.Location.Query().Get("error") == "" {
				page = h.browser.Get(page.Location.String())
			}
			if page.Location == nil {
				t.Fatalf("no error: %d %s", page.Status, page.Body)
			}
			if q := page.Location.Query(); q.Get("error") != row.code ||
				!strings.Contains(q.Get("error_description"), row.says) {
				t.Errorf("%s, expected %s …%s…", url.Values(q).Encode(), row.code, row.says)
			}
			if _, err := h.Session(h.request()); err == nil {
				t.Error("a session was begun")
			}
		})
	}
}

func TestWrongSubOfTheFailureLab(t *testing.T) {
	h := newTestbed(t)
	h.browser.SignIn("alice")
	h.provider.Fail(t, lab.Fault{Fault: lab.WrongSub, Client: "web"})
	h.renew()
	if _, err := h.UserInfo(h.request()); err == nil || !strings.Contains(err.Error(), "another sub than the ID Token") {
		t.Errorf("Core §5.3.2: userinfo about another sub: %v", err)
	}
	h = newTestbed(t)
	h.browser.SignIn("alice")
	h.renew()
	h.provider.Fail(t, lab.Fault{Fault: lab.WrongSub, Client: "web"})
	if status, answer := h.renew(); status != http.StatusForbidden || answer["error"] != "sub_mismatch" {
		t.Errorf("Core §12.2: %d %v", status, answer)
	}
}

// TestAMissingKidOfTheFailureLab: the provider publishes keys for two algs at first, and two keys for one alg after a
// rotation.
func TestAMissingKidOfTheFailureLab(t *testing.T) {
	provider := idptest.Start(t, func(c *idp.Config) {
		c.SigningKeys = []idp.SigningKey{{Alg: "ES256"}, {Alg: "EdDSA"}}
		c.RotateEvery, c.Session.Absolute, c.Session.Idle = 24*time.Hour, 48*time.Hour, 48*time.Hour
	})
	h := newTestbedAt(t, provider)
	h.browser.SignIn("alice")
	signIn := func() string {
		provider.Fail(t, lab.Fault{Fault: lab.MissingKID, Client: "web"})
		page := h.browser.Get(h.app + "/web/login")
		for page.Location != nil && page.Location.Query().Get("error") == "" {
			page = h.browser.Get(page.Location.String())
		}
		if page.Location == nil {
			return page.Body
		}
		return page.Location.Query().Get("error_description")
	}
	if said := signIn(); said != "home" {
		t.Errorf("Core §10.1 with one key for its alg a token without kid is accepted: %s", said)
	}
	provider.Clock.Pass(25 * time.Hour)
	published := func() int { return strings.Count(h.browser.Get(provider.Issuer+"/jwks").Body, `"kid"`) }
	for until := time.Now().Add(5 * time.Second); published() < 4 && time.Now().Before(until); {
		provider.Clock.Pass(2 * time.Second) // the provider rotates its keys beside the requests
	}
	if said := signIn(); !strings.Contains(said, "names no kid, and 2 of the published keys serve ES256") {
		t.Errorf("Core §10.1 with several keys for its alg a token without kid is refused: %q", said)
	}
}
