package main

import (
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hush-idp/hush/idptest"
)

// installation is a provider on a file whose users change from one run to the next.
type installation struct {
	path, address string
	same          []string
}

func newInstallation(t *testing.T) installation {
	path, address := binary(t), freeAddress(t, "127.0.0.1")
	store := filepath.Join(t.TempDir(), "hush.db")
	return installation{path, address, []string{
		"--listen", address, "--issuer", "http://" + address, "--store", "file:" + store,
	}}
}

// with are the arguments for a run with these users.
func (i installation) with(t *testing.T, users ...string) []string {
	text := `clients:
  - client_id: spa
    token_endpoint_auth_method: none
    first_party: true
    grant_types: [authorization_code, refresh_token, "urn:ietf:params:oauth:grant-type:device_code"]
    redirect_uris: ["http://localhost:9090/spa/callback.html"]
users:
`
	for _, user := range users {
		text += fmt.Sprintf("  - {username: %s, password: %s}\n", user, user)
	}
	return append([]string{"--config", file(t, text)}, i.same...)
}

// command runs a command of the program with the users of the arguments.
func (i installation) command(t *testing.T, arguments []string, words ...string) string {
	t.Helper()
	code, said := runToEnd(t, i.path, append(words, arguments...)...)
	if code != 0 {
		t.Fatalf("%v ended with %d and said %s", words, code, said)
	}
	return said
}

// lasting is what alice has when she has signed in, and an app and a device have used it.
type lasting struct {
	*person
	code, deviceCode, refreshToken, accessToken string
}

func (i installation) signIn(t *testing.T) lasting {
	t.Helper()
	alice := newPerson(t, i.address, "alice")
	params := idptest.Request("spa", "scope", "openid offline_access")
	tokens := alice.Tokens("spa", alice.Code(params))
	form := url.Values{"client_id": {"spa"}, "scope": {params.Get("scope")}}
	device := alice.Post("/device_authorization", form).JSON(t)
	page := alice.Get("/device?user_code=" + device["user_code"].(string))
	alice.Submit(page, url.Values{"decision": {"allow"}})
	return lasting{
		person: alice, code: alice.Code(params), deviceCode: device["device_code"].(string),
		refreshToken: tokens["refresh_token"].(string), accessToken: tokens["access_token"].(string),
	}
}

// checkNothing holds that nothing of what alice had gives anything, because it was removed or revoked.
func (l lasting) checkNothing(t *testing.T, why string) {
	t.Helper()
	if page := l.Authorize(silent); page.Location.Query().Get("error") != "login_required" {
		t.Errorf("prompt=none gives %s; want login_required", page.Location)
	}
	device := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:device_code"}, "device_code": {l.deviceCode}}
	refresh := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {l.refreshToken}}
	for name, form := range map[string]url.Values{
		"the code": tokenForm(l.code), "the device code": device, "the refresh token": refresh,
	} {
		form.Set("client_id", "spa")
		page := l.Post("/token", form)
		if page.Status != 400 || !strings.Contains(page.Body, "invalid_grant") || !strings.Contains(page.Body, why) {
			t.Errorf("%s gives %d %s; want invalid_grant, %s", name, page.Status, page.Body, why)
		}
	}
	if page := l.GetWithToken("/userinfo", l.accessToken); page.Status != 401 {
		t.Errorf("userinfo gives %d %s; want 401", page.Status, page.Body)
	}
}

// ASVS 5.0 V7.4.2: all sessions of a user end "when a user account is disabled or deleted".
func TestAUserWhoWasRemovedGetsNothing(t *testing.T) {
	i := newInstallation(t)
	before, after := i.with(t, "alice", "bob"), i.with(t, "bob")
	p := startServing(t, i.path, before...)
	alice := i.signIn(t)
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	if said := i.command(t, after, "sessions", "list"); !strings.Contains(said, "signed_in") ||
		!strings.Contains(said, "alice") {
		t.Errorf("sessions list says\n%s\nwant the session of alice, who was removed", said)
	}
	p = startServing(t, i.path, after...)
	alice.checkNothing(t, "removed")
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	if said := i.command(t, after, "sessions", "list"); !strings.Contains(said, "signed_out") {
		t.Errorf("sessions list says\n%s\nwant the session ended, because its user is gone", said)
	}
}

func TestTheSessionOfARemovedUserCanBeEnded(t *testing.T) {
	i := newInstallation(t)
	before, after := i.with(t, "alice", "bob"), i.with(t, "bob")
	p := startServing(t, i.path, before...)
	i.signIn(t)
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	i.command(t, after, "sessions", "end", idOf(t, i.command(t, after, "sessions", "list"), "alice"))
	if said := i.command(t, after, "sessions", "list"); !strings.Contains(said, "signed_out") {
		t.Errorf("sessions list says\n%s\nwant the session ended", said)
	}
}

// After a password leaked, the operator changes it and runs this command.
func TestTheEndOfAUserEndsSessionsAndTokens(t *testing.T) {
	i := newInstallation(t)
	users := i.with(t, "alice", "bob")
	p := startServing(t, i.path, users...)
	alice := i.signIn(t)
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	said := i.command(t, users, "sessions", "end", "--user", "alice")
	if !strings.Contains(said, "1 session") || !strings.Contains(said, "1 grant") {
		t.Errorf("sessions end --user alice says %s; want what ended", said)
	}
	startServing(t, i.path, users...)
	alice.checkNothing(t, "revoked")
	newPerson(t, i.address, "alice").renew()
}
