package device

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// fixture has a clock that the test moves, and a store that records calls.
type fixture struct {
	*Devices
	clock *storagetest.Clock
	store *storagetest.Spy
}

func newFixture() *fixture {
	clock := storagetest.NewClock()
	spy := &storagetest.Spy{Store: storage.NewMemory(clock.Now)}
	return &fixture{Devices: New("https://idp.test", spy, clock.Now, rand.Text), clock: clock, store: spy}
}

var tv = oidc.Client{ClientID: "tv", GrantTypes: []string{oidc.GrantDeviceCode},
	TokenEndpointAuthMethod: oidc.AuthMethodNone}

func (r *fixture) begin(t *testing.T) Codes {
	t.Helper()
	codes, err := r.Begin(t.Context(), Pending{ClientID: "tv", Scope: oidc.Scope{"openid", "email"},
		Resource: []string{"https://api.test"}})
	if err != nil {
		t.Fatal(err)
	}
	return codes
}

func (r *fixture) decide(t *testing.T, codes Codes, decision string) {
	t.Helper()
	found, err := r.Find(t.Context(), codes.User)
	if err == nil {
		err = r.Decide(t.Context(), found, decision, alice(r.clock.Now()))
	}
	if err != nil {
		t.Fatal(err)
	}
}

func alice(now time.Time) grant.Grant {
	return grant.Grant{Sub: "alice", AuthTime: now, ACR: "1", AMR: []string{"pwd"}}
}

// codeOf is the OAuth error that the device gets; "" for tokens.
func (r *fixture) codeOf(t *testing.T, client oidc.Client, deviceCode string) oidc.ErrorCode {
	t.Helper()
	_, err := r.Redeem(t.Context(), &client, deviceCode)
	if err == nil {
		return ""
	}
	return oidc.AsError(err).Code
}

func TestTheAnswersToAPollingDevice(t *testing.T) {
	for _, row := range []struct {
		name   string
		before func(t *testing.T, r *fixture, c Codes)
		client oidc.Client
		want   oidc.ErrorCode
	}{
		{"RFC 8628 §3.5 authorization_pending before the user decided", nil, tv, oidc.AuthorizationPending},
		{"RFC 8628 §3.5 slow_down for a device that asks again within the interval", func(t *testing.T, r *fixture, c Codes) {
			r.codeOf(t, tv, c.Device)
			r.clock.Pass(Interval - early - 1)
		}, tv, oidc.SlowDown},
		{"RFC 8628 §3.5 no slow_down after the interval", func(t *testing.T, r *fixture, c Codes) {
			r.codeOf(t, tv, c.Device)
			r.clock.Pass(Interval)
		}, tv, oidc.AuthorizationPending},
		{"RFC 8628 §3.5 after slow_down the interval MUST be increased by 5 seconds",
			func(t *testing.T, r *fixture, c Codes) {
				r.codeOf(t, tv, c.Device)
				r.codeOf(t, tv, c.Device)
				r.clock.Pass(Interval)
			}, tv, oidc.SlowDown},
		{"RFC 8628 §3.5 after the longer interval the device goes on", func(t *testing.T, r *fixture, c Codes) {
			r.codeOf(t, tv, c.Device)
			r.codeOf(t, tv, c.Device)
			r.clock.Pass(Interval + slower)
		}, tv, oidc.AuthorizationPending},
		{"RFC 8628 §3.5 access_denied when the user said no",
			func(t *testing.T, r *fixture, c Codes) { r.decide(t, c, Deny) }, tv, oidc.AccessDenied},
		{"RFC 8628 §3.5 tokens when the user said yes", func(t *testing.T, r *fixture, c Codes) { r.decide(t, c, Allow) }, tv,
			""},
		{"RFC 8628 §3.5 just before its end the code is good",
			func(_ *testing.T, r *fixture, _ Codes) { r.clock.Pass(Lifetime - 1) }, tv, oidc.AuthorizationPending},
		{"RFC 8628 §3.5 expired_token after expires_in", func(_ *testing.T, r *fixture, _ Codes) { r.clock.Pass(Lifetime) },
			tv, oidc.ExpiredToken},
		{"RFC 8628 §3.5 expired_token also when the user said yes in time", func(t *testing.T, r *fixture, c Codes) {
			r.decide(t, c, Allow)
			r.clock.Pass(Lifetime)
		}, tv, oidc.ExpiredToken},
		{"RFC 6749 §5.2 invalid_grant long after",
			func(_ *testing.T, r *fixture, _ Codes) { r.clock.Pass(Lifetime + retention) }, tv, oidc.InvalidGrant},
		{"RFC 6749 §5.2 invalid_grant for another client", func(t *testing.T, r *fixture, c Codes) { r.decide(t, c, Allow) },
			oidc.Client{ClientID: "other"}, oidc.InvalidGrant},
		{"RFC 8628 §3.5 a device_code is good once", func(t *testing.T, r *fixture, c Codes) {
			r.decide(t, c, Allow)
			r.codeOf(t, tv, c.Device)
		}, tv, oidc.InvalidGrant},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newFixture()
			codes := r.begin(t)
			if row.before != nil {
				row.before(t, r, codes)
			}
			if got := r.codeOf(t, row.client, codes.Device); got != row.want {
				t.Errorf("the device gets %q; want %q", got, row.want)
			}
		})
	}
}

func TestCodesThatWereNeverIssued(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	id, secret, _ := strings.Cut(codes.Device, ".")
	for name, code := range map[string]string{
		"nothing": "", "a guess": "guess", "the id without the secret": id, "an empty secret": id + ".",
		"another secret":   id + "." + rand.Text(),
		"the secret alone": "." + secret, "the user code": codes.User,
	} {
		if got := r.codeOf(t, tv, code); got != oidc.InvalidGrant {
			t.Errorf("RFC 8628 §5.2 %s is answered with %q; want invalid_grant", name, got)
		}
	}
}

func TestWhatTheUserAllowedIsWhatTheDeviceGets(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	r.decide(t, codes, Allow)
	got, err := r.Redeem(t.Context(), &tv, codes.Device)
	want := alice(r.clock.Now())
	want.ClientID, want.Scope, want.Resource = "tv", oidc.Scope{"openid", "email"}, []string{"https://api.test"}
	want.ID, _, _ = strings.Cut(codes.Device, ".")
	want.GrantedAt = r.clock.Now()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Redeem = %v (-want +got):\n%s", err, diff)
	}
}

func TestOfRacingRequestsOneGetsTheTokens(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	r.decide(t, codes, Allow)
	var all sync.WaitGroup
	got := make(chan error, 8)
	for range cap(got) {
		all.Go(func() {
			_, err := r.Redeem(t.Context(), &tv, codes.Device)
			got <- err
		})
	}
	all.Wait()
	close(got)
	good := 0
	for err := range got {
		if err == nil {
			good++
		}
	}
	if good != 1 {
		t.Errorf("%d of 8 requests got tokens; want 1", good)
	}
}

func TestTheUserCode(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		code := newUserCode(rand.Text)
		if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(code) || seen[code] {
			t.Fatalf("RFC 8628 §6.1 the code is %q, seen before: %t", code, seen[code])
		}
		seen[code] = true
	}
	r := newFixture()
	codes := r.begin(t)
	bare := strings.ReplaceAll(codes.User, "-", "")
	for name, typed := range map[string]string{
		"RFC 8628 §6.1 as shown": codes.User, "RFC 8628 §6.1 in lower case": strings.ToLower(codes.User),
		"RFC 8628 §6.1 without the dash":     bare,
		"RFC 8628 §6.1 with spaces and dots": " " + bare[:2] + ". " + bare[2:] + " ",
	} {
		if _, err := r.Find(t.Context(), typed); err != nil || formatted(typed) != codes.User {
			t.Errorf("%s: %q is %v, shown as %q", name, typed, err, formatted(typed))
		}
	}
	for name, typed := range map[string]string{"nothing": "", "another": "BBBB-BBBB", "longer": codes.User + "B",
		"shorter": bare[:7]} {
		if _, err := r.Find(t.Context(), typed); !errors.Is(err, ErrUnknown) {
			t.Errorf("%s: Find = %v; want ErrUnknown", name, err)
		}
	}
}

func TestACodeIsDecidedAboutOnce(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	found, err := r.Find(t.Context(), codes.User)
	if err != nil {
		t.Fatal(err)
	}
	r.decide(t, codes, Deny)
	if err := r.Decide(t.Context(), found, Allow, alice(r.clock.Now())); !errors.Is(err, ErrUnknown) {
		t.Errorf("a second decision is %v", err)
	}
	if _, err := r.Find(t.Context(), codes.User); !errors.Is(err, ErrUnknown) {
		t.Errorf("RFC 8628 §5.1 a code that was used is found: %v", err)
	}
	late := r.begin(t)
	found, err = r.Find(t.Context(), late.User)
	if err != nil {
		t.Fatal(err)
	}
	r.clock.Pass(Lifetime)
	if err := r.Decide(t.Context(), found, Allow, alice(r.clock.Now())); !errors.Is(err, ErrUnknown) {
		t.Errorf("a decision after the end is %v", err)
	}
}

func TestTheStoreIsShownNoCode(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	r.decide(t, codes, Allow)
	_, secret, _ := strings.Cut(codes.Device, ".")
	stored := r.store.Keys() + r.store.Values()
	if strings.Contains(stored, secret) || strings.Contains(stored, codes.User) ||
		strings.Contains(stored, normalize(codes.User)) {
		t.Errorf("the store saw a code: %s", stored)
	}
	if !strings.Contains(stored, "alice") {
		t.Error("what the store saw is not the record")
	}
}

func TestAStoreThatFailsIsNoUnknownCode(t *testing.T) {
	r := newFixture()
	codes := r.begin(t)
	r.store.Gone(true)
	_, find := r.Find(t.Context(), codes.User)
	_, redeem := r.Redeem(t.Context(), &tv, codes.Device)
	_, begin := r.Begin(t.Context(), Pending{})
	for _, err := range []error{find, redeem, begin} {
		if !errors.Is(err, storagetest.ErrEngine) {
			t.Errorf("got %v; want the engine's error", err)
		}
	}
}

// registeredFor is the client with one more grant type.
func registeredFor(client oidc.Client, grantType string) oidc.Client {
	client.GrantTypes = append(client.GrantTypes, grantType)
	return client
}

func TestTheDeviceAuthorizationRequest(t *testing.T) {
	refreshing := registeredFor(tv, oidc.GrantRefreshToken)
	web := oidc.Client{ClientID: "tv", TokenEndpointAuthMethod: oidc.AuthMethodNone}
	for _, row := range []struct {
		name   string
		client oidc.Client
		form   url.Values
		code   oidc.ErrorCode
		scope  string
	}{
		{"RFC 8628 §3.1 client_id and scope", tv, url.Values{"client_id": {"tv"}, "scope": {"openid email"}}, "",
			"openid email"},
		{"RFC 8628 §3.1 scope is optional", tv, url.Values{"client_id": {"tv"}}, "", ""},
		{"RFC 8628 §3.1 parameters that are not known MUST be ignored", tv, url.Values{"client_id": {"tv"}, "x": {"y"}}, "",
			""},
		{"RFC 8628 §3.1 client_id is REQUIRED of a client that does not authenticate", tv, url.Values{}, oidc.InvalidClient,
			""},
		{"RFC 8628 §3.1 parameters MUST NOT be included more than once", tv,
			url.Values{"client_id": {"tv"}, "scope": {"a", "b"}}, oidc.InvalidRequest, ""},
		{"RFC 8628 §3.1 parameters without a value MUST be treated as if they were omitted", tv,
			url.Values{"client_id": {"tv"}, "scope": {""}, "resource": {""}}, "", ""},
		{"RFC 8628 §3.1 a client_id without a value is none", tv, url.Values{"client_id": {""}}, oidc.InvalidClient, ""},
		{"RFC 8628 §3.1 a client with credentials authenticates here as at the token endpoint (RFC 6749 §3.2.1)", tv,
			url.Values{"client_id": {"other"}}, oidc.InvalidClient, ""},
		{"RFC 6749 §3.3 a scope that the provider does not know is left out", tv,
			url.Values{"client_id": {"tv"}, "scope": {"openid telepathy"}}, "", "openid"},
		{"RFC 6749 §5.2 a client that is not registered for it", web, url.Values{"client_id": {"tv"}},
			oidc.UnauthorizedClient, ""},
		{"RFC 8707 §2 a resource that there are no tokens for", tv,
			url.Values{"client_id": {"tv"}, "resource": {"https://other.test"}}, oidc.InvalidTarget, ""},
		{"Core §11 offline_access of a client without refresh tokens is ignored", tv,
			url.Values{"client_id": {"tv"}, "scope": {"openid offline_access"}}, "", "openid"},
		{"Core §11 offline_access of one with them", refreshing,
			url.Values{"client_id": {"tv"}, "scope": {"openid offline_access"}}, "", "openid offline_access"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := newFixture()
			a := &Authorization{
				Issuer: "https://idp.test", Devices: r.Devices,
				Auth:   &clientauth.Authenticator{Clients: clients.New([]oidc.Client{row.client})},
				Scopes: append(oidc.StandardScope(), oidc.ScopeOffline), Resources: []string{"https://api.test"},
			}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/device_authorization",
				strings.NewReader(row.form.Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			w := httptest.NewRecorder()
			err := a.Endpoints()[0].Serve(w, request)
			if e := oidc.AsError(err); (e == nil) != (row.code == "") || e != nil && e.Code != row.code {
				t.Fatalf("got %v; want %q", err, row.code)
			}
			if row.code == "" {
				var got Response
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
					t.Fatal(err)
				}
				r.checkResponse(t, got, row.scope)
			}
		})
	}
}

// checkResponse checks a response against RFC 8628 §3.2.
func (r *fixture) checkResponse(t *testing.T, got Response, scope string) {
	t.Helper()
	want := Response{
		DeviceCode: got.DeviceCode, UserCode: got.UserCode, VerificationURI: "https://idp.test/device",
		VerificationURIComplete: "https://idp.test/device?user_code=" + got.UserCode, ExpiresIn: 600, Interval: 5,
	}
	if diff := cmp.Diff(want, got); diff != "" || len(got.DeviceCode) < 52 {
		t.Errorf("RFC 8628 §3.2 (-want +got):\n%s", diff)
	}
	found, err := r.Find(t.Context(), got.UserCode)
	if err != nil || found.Scope.String() != scope {
		t.Errorf("the person is asked for %q, %v; want %q", found.Scope, err, scope)
	}
}
