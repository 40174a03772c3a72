package rp

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// onlyAlice is an OnSignIn that refuses every user but alice.
func onlyAlice(err error) func(*Config) {
	return func(c *Config) {
		c.OnSignIn = func(_ *http.Request, s *Session) error {
			if s.Sub != "alice" {
				return err
			}
			return nil
		}
	}
}

func (a *testApp) as(sub string) { a.provider.misbehave(distortions{idToken: with("sub", sub)}) }

func TestTheApplicationRefusesASignIn(t *testing.T) {
	for _, row := range []struct {
		name    string
		refusal error
		code    oidc.ErrorCode
		says    string
		logged  string
	}{
		{"with a reason for the page", oidc.AccessDenied.Errorf("only staff may sign in"), oidc.AccessDenied,
			"only staff may sign in", "only staff may sign in"},
		{"with an error that only the log may hold", errors.New("db.internal is down"), oidc.ServerError,
			"its log says why", "db.internal is down"},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, onlyAlice(row.refusal))
			a.as("bob")
			location := a.callback(a.provider.answer(a.begin("/web/login?return_to=/web/orders")))
			e := a.failure(location)
			if !strings.HasPrefix(location, "/web/orders?") || e.Code != row.code || !strings.Contains(e.Description, row.says) {
				t.Errorf("the browser was sent to %s, expected %s …%s… at /web/orders", location, row.code, row.says)
			}
			if !a.isSignedOut() {
				t.Error("bob is signed in")
			}
			if !strings.Contains(a.log.String(), row.logged) {
				t.Errorf("the log lacks the reason:\n%s", a.log)
			}
		})
	}
}

func TestARefusedSignInLeavesNoSession(t *testing.T) {
	a := newApp(t, onlyAlice(oidc.AccessDenied.Errorf("no")), func(c *Config) {
		c.Scopes = append(c.Scopes, "offline_access")
	})
	a.signIn()
	before := a.request()
	a.as("bob")
	a.callback(a.provider.answer(a.begin("/web/login")))
	if !a.isSignedOut() {
		t.Error("the browser still has the session of alice after the refused sign-in of bob")
	}
	if _, err := a.Session(before); !errors.Is(err, ErrNoSession) {
		t.Errorf("the record of alice's session is still there: %v", err)
	}
	if len(a.provider.revoked) != 1 {
		t.Errorf("%d refresh tokens were revoked, expected that of the refused sign-in", len(a.provider.revoked))
	}
}

// TestARefusedSignInWithABrokenStore: the browser loses its session also when the store cannot delete the record.
func TestARefusedSignInWithABrokenStore(t *testing.T) {
	a := newApp(t, onlyAlice(oidc.AccessDenied.Errorf("only alice")), func(c *Config) {
		c.Scopes = append(c.Scopes, "offline_access")
	})
	a.signIn()
	a.sessions = storage.NewBucket[Session]("rp-session", brokenStore{})
	a.as("bob")
	e := a.failure(a.callback(a.provider.answer(a.begin("/web/login"))))
	if e.Code != oidc.AccessDenied || !strings.Contains(e.Description, "only alice") {
		t.Errorf("%v, expected the access_denied of the application", e)
	}
	if _, err := a.request().Cookie(a.cookies.session); err == nil {
		t.Error("the browser still has the cookie of alice's session")
	}
	if len(a.provider.revoked) != 1 {
		t.Errorf("%d refresh tokens were revoked, expected that of the refused sign-in", len(a.provider.revoked))
	}
	if !strings.Contains(a.log.String(), errBroken.Error()) {
		t.Errorf("the log does not say that the store failed:\n%s", a.log)
	}
}

func TestASilentSignInIsASignIn(t *testing.T) {
	a := newApp(t, onlyAlice(oidc.AccessDenied.Errorf("only alice")))
	a.as("bob")
	status, _, e := a.finishSilent(a.provider.answer(a.begin("/web/silent")))
	if status != http.StatusForbidden || e.Code != oidc.AccessDenied || !a.isSignedOut() {
		t.Errorf("a silent sign-in that the application refuses: %d %v, signed out %v", status, e, a.isSignedOut())
	}
}

func TestTheUserOfTheApplication(t *testing.T) {
	calls := 0
	a := newApp(t, func(c *Config) {
		c.UserInfoAtSignIn = true
		c.OnSignIn = func(_ *http.Request, s *Session) error {
			var person struct{ Name string }
			err := s.ReadClaims(&person)
			s.User, calls = "user 7, "+person.Name, calls+1
			return err
		}
	})
	s := a.signIn()
	if s.User != "user 7, Alice Adams" || calls != 1 {
		t.Errorf("the session has the user %q after %d calls of OnSignIn", s.User, calls)
	}
	if status, _, e := a.finishSilent(a.provider.answer(a.begin("/web/silent"))); status != http.StatusOK {
		t.Fatal(e)
	}
	if s := a.session(); s.User != "user 7, Alice Adams" || len(s.UserInfo) == 0 || s.Renewals != 1 || calls != 1 {
		t.Errorf("after a renewal the session is %+v, and OnSignIn was called %d times, expected once", s, calls)
	}
}

func TestReadClaims(t *testing.T) {
	s := Session{UserInfo: json.RawMessage(`{"name":"Alice","acr":"9"}`), Claims: json.RawMessage(`{"acr":"1"}`)}
	var claims struct{ Name, Acr string }
	if err := s.ReadClaims(&claims); err != nil || claims.Name != "Alice" || claims.Acr != "1" {
		t.Errorf("%+v %v, expected the name of userinfo and the acr of the ID Token", claims, err)
	}
	s.UserInfo = json.RawMessage(`{"address":{"country":"US","region":"X"},"email":"m@x","ſub":"m","groups":["a"]}`)
	s.Claims = json.RawMessage(`{"address":{"country":"DE"},"email":null,"sub":"alice"}`)
	var merged struct {
		Sub, Email string
		Address    map[string]string
		Groups     []string
	}
	if err := s.ReadClaims(&merged); err != nil || merged.Sub != "alice" || merged.Email != "" ||
		len(merged.Address) != 1 || len(merged.Groups) != 1 {
		t.Errorf("%+v %v, expected the ID Token's sub, null email and whole address, and the groups of userinfo", merged, err)
	}
	s.UserInfo, s.Claims = json.RawMessage(`{"name":"Alice"}`), json.RawMessage("null")
	if err := s.ReadClaims(&claims); err != nil || claims.Name != "Alice" {
		t.Errorf("%+v %v, expected the name of userinfo in a session without claims of an ID Token", claims, err)
	}
	var wrong struct{ Name int }
	if err := s.ReadClaims(&wrong); err == nil || !strings.Contains(err.Error(), "expected types") {
		t.Errorf("a name that is no number: %v", err)
	}
}

// TestBadUserInfoAtSignIn: each answer that UserInfo refuses also refuses the sign-in.
func TestBadUserInfoAtSignIn(t *testing.T) {
	for _, row := range badUserInfos {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) {
				c.UserinfoSignedResponseAlg, c.UserInfoAtSignIn = row.registered, true
			})
			a.provider.misbehave(row.distortions(t))
			a.refused(a.failure(a.callback(a.provider.answer(a.begin("/web/login")))), row.code, row.says)
		})
	}
}

// TestAFailedUserInfoKeepsTheSession: as after any other failure of the provider, no session changes.
func TestAFailedUserInfoKeepsTheSession(t *testing.T) {
	a := newApp(t, func(c *Config) { c.UserInfoAtSignIn = true })
	a.signIn()
	a.provider.misbehave(distortions{userinfo: with("sub", "bob")})
	e := a.failure(a.callback(a.provider.answer(a.begin("/web/login"))))
	if e.Code != SubMismatch {
		t.Errorf("%v, expected sub_mismatch", e)
	}
	if a.isSignedOut() {
		t.Error("the session ended with the failed sign-in")
	}
}

// unwritableStore reads and deletes, and stores nothing new.
type unwritableStore struct{ storage.Store }

func (unwritableStore) Put(context.Context, string, []byte, time.Duration) error { return errBroken }

// TestAFailedSignInLeavesNoRefreshToken: nobody would ever use or revoke it.
func TestAFailedSignInLeavesNoRefreshToken(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault func(*testApp)
		code  oidc.ErrorCode
	}{
		{"userinfo is about another user",
			func(a *testApp) { a.provider.misbehave(distortions{userinfo: with("sub", "bob")}) }, SubMismatch},
		{"the session before cannot be deleted",
			func(a *testApp) { a.sessions = storage.NewBucket[Session]("rp-session", brokenStore{}) }, oidc.ServerError},
		{"the new session cannot be stored", func(a *testApp) {
			a.sessions = storage.NewBucket[Session]("rp-session", unwritableStore{a.config.Store})
		}, oidc.ServerError},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := newApp(t, func(c *Config) {
				c.UserInfoAtSignIn, c.Scopes = true, append(c.Scopes, "offline_access")
			})
			a.signIn()
			row.fault(a)
			if e := a.failure(a.callback(a.provider.answer(a.begin("/web/login")))); e.Code != row.code {
				t.Errorf("%v, expected %s", e, row.code)
			}
			if len(a.provider.revoked) != 1 {
				t.Errorf("%d refresh tokens were revoked, expected that of the failed sign-in", len(a.provider.revoked))
			}
		})
	}
}
