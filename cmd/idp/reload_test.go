package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

const spaClient = `
  - client_id: spa
    token_endpoint_auth_method: none
    first_party: true
    redirect_uris: ["http://localhost:9090/spa/callback.html"]
`

const oneUser = "users:\n  - {username: alice, password: alice}\n"

// reloading is a provider whose file is watched.
type reloading struct {
	*idptest.Browser
	name string
	log  *idptest.Log
}

func startReloading(t *testing.T, text string) *reloading {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	issuer := "http://" + server.Listener.Addr().String()
	r := &reloading{name: file(t, text), log: &idptest.Log{}}
	s := mustSettings(t, "--config", r.name, "--issuer", issuer)
	log := slog.New(slog.NewTextHandler(r.log, nil))
	store := storage.NewMemory(time.Now)
	provider, _, err := dev.Provider(s.Config, idp.Dependencies{Store: store, Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = provider
	server.Start()
	t.Cleanup(server.Close)
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	s.watchFile(ctx, time.Millisecond, provider.Reload, log)
	r.Browser = (&idptest.Provider{Provider: provider, Issuer: issuer}).Browser(t)
	return r
}

// change writes the file, and waits until the log says so.
func (r *reloading) change(t *testing.T, text, logged string) {
	t.Helper()
	before := strings.Count(r.log.String(), logged)
	if err := os.WriteFile(r.name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(testTimeout); strings.Count(r.log.String(), logged) == before; {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not say %q:\n%s", logged, r.log)
		}
		time.Sleep(time.Millisecond)
	}
}

const (
	wasRead    = "was read again"
	hasMistake = "nothing was changed"
)

func TestAChangedFileApplies(t *testing.T) {
	r := startReloading(t, oneUser+"clients:"+spaClient)
	r.SignIn("alice")
	mine := idptest.Request("mine", "redirect_uri", "http://localhost/cb", "scope", "openid mine.read")
	if page := r.Authorize(mine); page.Status != http.StatusBadRequest {
		t.Fatalf("a client that is not in the file gave %d", page.Status)
	}
	r.change(t, oneUser+"  - {username: dana, password: dana}\nscopes: [{name: mine.read}]\nclients:"+spaClient+
		strings.ReplaceAll(spaClient, "spa", "mine")+"    post_logout_redirect_uris: [\"http://localhost/\"]\n", wasRead)
	mine.Set("redirect_uri", "http://localhost:9090/mine/callback.html")
	if answer := r.Authorize(mine).Location; answer == nil || answer.Query().Get("code") == "" {
		t.Errorf("the new client and scope gave %v: the session is lost, or they are not known", answer)
	}
	if page := r.Get("/.well-known/openid-configuration"); !strings.Contains(page.Body, "mine.read") {
		t.Error("the metadata lacks the new scope")
	}
	r.SignIn("dana")
	r.change(t, oneUser+"clients:"+spaClient, wasRead)
	if page := r.Authorize(mine); page.Status != http.StatusBadRequest {
		t.Errorf("a client that is gone from the file gave %d", page.Status)
	}
	if page := r.Get("/"); strings.Contains(page.Body, "dana") {
		t.Error("a user who is gone from the file is signed in")
	}
}

func TestAMistakeInAChangedFileChangesNothing(t *testing.T) {
	good := oneUser + "clients:" + spaClient
	r := startReloading(t, good)
	r.SignIn("alice")
	for _, row := range []struct{ name, text, want string }{
		{"a value of another form", "users: 7\n" + good[len(oneUser):], ":1: users: should be a list"},
		{"a client with a mistake", good + "    subject_type: odd\n", "subject_type"},
		{"no YAML", good + "\n]", r.name + ":"},
		{"a scope that is not known", good + "    scope: nowhere\n", `scope: \"nowhere\" is not known`},
	} {
		t.Run(row.name, func(t *testing.T) {
			r.change(t, row.text, hasMistake)
			if !strings.Contains(r.log.String(), row.want) {
				t.Errorf("the log lacks %s:\n%s", row.want, r.log)
			}
			r.Code(idptest.Request("spa", "prompt", "none"))
		})
	}
	r.change(t, good+"log_level: debug\nsession: {idle: 1h}\n", wasRead)
	for _, key := range []string{"session", "log_level"} {
		if !regexp.MustCompile(`needs a restart" setting="\S+:\d+: ` + key + `"`).MatchString(r.log.String()) {
			t.Errorf("the log does not name %s and its line as a setting that needs a restart:\n%s", key, r.log)
		}
	}
}

// A setting that needs a restart does not stop the changes that need none.
func TestASettingThatNeedsARestartStopsNothing(t *testing.T) {
	good := oneUser + "clients:" + spaClient
	dana := oneUser + "  - {username: dana, password: dana}\nclients:" + spaClient
	for _, row := range []struct{ name, before, after, key string }{
		{"another alg of the signing key", "", "signing_keys: [{alg: ES256}]\n", "signing_keys"},
		{"fewer signing keys", "signing_keys: [{alg: ES256}, {alg: RS256}]\n", "signing_keys: [{alg: RS256}]\n",
			"signing_keys"},
		{"another issuer's salt", "", "pairwise_salt: " + strings.Repeat("x", 32) + "\n", "pairwise_salt"},
		{"built-in users and clients", "", "built_in: true\n", "built_in"},
		{"development mode", "", "dev: false\n", "dev"},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := startReloading(t, good+row.before)
			r.change(t, dana+row.after, wasRead)
			r.SignIn("dana")
			r.Code(idptest.Request("spa", "prompt", "none"))
			if want := r.name + ":9: " + row.key + `"`; !strings.Contains(r.log.String(), want) {
				t.Errorf("the log does not say %s:\n%s", want, r.log)
			}
		})
	}
}

// A client that needs a changed signing key waits for the restart, and the log says why.
func TestAClientForAnotherSigningKeyNeedsARestart(t *testing.T) {
	good := oneUser + "clients:" + spaClient
	r := startReloading(t, good)
	r.change(t, good+"    id_token_signed_response_alg: ES256\nsigning_keys: [{alg: ES256}]\n", hasMistake)
	for _, want := range []string{":8: clients[0].id_token_signed_response_alg", ":9: signing_keys"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, r.log)
		}
	}
}

func TestAReplacedFileIsSeen(t *testing.T) {
	r := startReloading(t, oneUser+"clients:"+spaClient)
	other := filepath.Join(t.TempDir(), "other.yaml")
	text := oneUser + "  - {username: dana, password: dana}\nclients:" + spaClient
	if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(other, r.name); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(testTimeout)
	for ; !strings.Contains(r.log.String(), wasRead); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the file was not read again")
		}
	}
	r.SignIn("dana")
}

// Renewals go on while the file changes, with and without mistakes.
func TestNoRenewalFailsWhileTheFileChanges(t *testing.T) {
	r := startReloading(t, oneUser+"clients:"+spaClient)
	r.SignIn("alice")
	const renewals, changes, workers = 1000, 50, 4
	done := make(chan struct{}, renewals)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for range renewals / workers {
				if !r.renew(t) {
					return
				}
				done <- struct{}{}
			}
		})
	}
	for i := range changes {
		for range renewals / changes / 2 { // the changes are spread over the first half of the renewals
			<-done
		}
		if i%2 == 0 {
			r.change(t, fmt.Sprintf("%s  - {username: user%d, password: x}\nclients:%s", oneUser, i, spaClient), wasRead)
		} else {
			r.change(t, fmt.Sprintf("%s  - {username: user%d}\nclients:%s", oneUser, i, spaClient), hasMistake)
		}
	}
	group.Wait()
	if left := len(done); left < renewals/2 && !t.Failed() {
		t.Errorf("%d renewals were left after the changes; want %d", left, renewals/2)
	}
}

// renew asks for a code with prompt=none and redeems it. It tells whether it got tokens.
func (r *reloading) renew(t *testing.T) bool {
	answer := r.Authorize(idptest.Request("spa", "prompt", "none"))
	if answer.Location == nil || answer.Location.Query().Get("code") == "" {
		t.Errorf("a renewal got no code: %d %v %s", answer.Status, answer.Location, answer.Body)
		return false
	}
	page := r.Post("/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {answer.Location.Query().Get("code")}, "client_id": {"spa"},
		"code_verifier": {idptest.CodeVerifier}, "redirect_uri": {"http://localhost:9090/spa/callback.html"},
	})
	if page.Status != http.StatusOK {
		t.Errorf("a renewal got no tokens: %d %s", page.Status, page.Body)
	}
	return page.Status == http.StatusOK
}

func TestSIGHUPWithoutAFileChangesNothing(t *testing.T) {
	address := freeAddress(t, "127.0.0.1")
	p := startServing(t, binary(t), "--listen", address)
	get(t, "http://"+address+"/healthz") // it serves
	p.signal(t, syscall.SIGHUP)
	p.await(t, p.stderr, "there is no configuration file to read")
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, p.stderr)
	}
}
