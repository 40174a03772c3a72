package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hush-idp/hush/storage/redis/redistest"
)

const testSecret = "a-secret-of-these-tests-which-has-more-than-32-characters"

// rounds is how often a long test does what it does: a few times, or, for make soak, many.
func rounds(few, many int) int {
	if os.Getenv("SOAK") != "" {
		return many
	}
	return few
}

// TestTwoProvidersOnOneRedisAreOne: what begins at one goes on at the other, and a code redeems once, wherever.
func TestTwoProvidersOnOneRedisAreOne(t *testing.T) {
	server := redistest.Start(t, redistest.Durable...)
	path := binary(t)
	addresses := []string{freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")}
	for _, address := range addresses {
		startServing(t, path, "--listen", address, "--issuer", "http://"+addresses[0], "--store", server.URL, "--cookie-keys",
			testSecret, "--log-level", "error")
	}
	if a, b := kid(t, addresses[0]), kid(t, addresses[1]); a != b {
		t.Fatalf("two providers sign with %s and %s", a, b)
	}
	alice := newPerson(t, addresses[0], "alice")
	elsewhere := alice.at(t, addresses[1])
	for range rounds(20, 2000) {
		code := alice.Code(silent)
		elsewhere.Tokens("spa", code)
		alice.redeemed = append(alice.redeemed, code)
		elsewhere.renew()
	}
	alice.checkSpent(t)
	page := elsewhere.Submit(elsewhere.Get("/logout"), url.Values{"decision": {"sign_out"}})
	if page.Status != http.StatusOK {
		t.Fatalf("signing out gave %d\n%s", page.Status, page.Body)
	}
	eventually(t, "the other provider notices the sign-out", func() bool {
		answer := alice.Authorize(silent)
		return answer.Location != nil && answer.Location.Query().Get("error") == "login_required"
	})
}

func TestMetricsAtAnAddressOfTheirOwn(t *testing.T) {
	address, numbers := freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")
	startServing(t, binary(t), "--listen", address, "--issuer", "http://"+address, "--metrics-listen", numbers)
	newPerson(t, address, "alice").renew()
	status, body := get(t, "http://"+numbers+"/metrics")
	if status != http.StatusOK || !strings.Contains(string(body), `hush_requests_total{endpoint="token"`) {
		t.Errorf("/metrics gives %d\n%s", status, body)
	}
	if status, _ := get(t, "http://"+numbers+"/authorize"); status != http.StatusNotFound {
		t.Errorf("the provider's own pages are there, too: %d", status)
	}
}

func TestStoreFaultsSayWhatToDo(t *testing.T) {
	path, folder := binary(t), t.TempDir()
	held := "file:" + filepath.Join(folder, "held.db")
	address := freeAddress(t, "127.0.0.1")
	startServing(t, path, "--listen", address, "--issuer", "http://"+address, "--store", held)
	for _, row := range []struct{ name, store, says string }{
		{"no store", "postgres://x:hunter2@db", "memory, file:PATH"},
		{"a file in a folder that is not there", "file:" + filepath.Join(folder, "missing", "x.db"), "missing"},
		{"a file that another process has", held, "another"},
		{"Redis that is not there", "redis://127.0.0.1:1", "127.0.0.1:1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			code, said := runToEnd(t, path, "--listen", freeAddress(t, "127.0.0.1"), "--issuer", "http://localhost:8080",
				"--store", row.store, "--cookie-keys", testSecret)
			if code == 0 || !strings.Contains(said, row.says) || strings.Contains(said, "hunter2") {
				t.Errorf("it ended with %d and said %s; want %q", code, said, row.says)
			}
		})
	}
	if code, said := runToEnd(t, path, "--store", "redis://127.0.0.1:1"); code == 0 ||
		!strings.Contains(said, "cookie_keys") {
		t.Errorf("Redis without cookie_keys: it ended with %d and said %s", code, said)
	}
}

// check and serve refuse the same addresses of a store.
func TestTheAddressOfRedisIsCheckedWithTheSettings(t *testing.T) {
	for _, row := range []struct{ name, store, says string }{
		{"a port that is no number", "redis://:hunter2@localhost:port", "host is not of the form host:port"},
		{"no host", "redis://", "host is not of the form host:port"},
		{"a database that is no number", "redis://localhost/hunter2", "the database is not a number"},
		{"several hosts of one server", "redis://a,b", "several hosts"},
		{"a Sentinel without the name of the primary", "redis+sentinel://a,b", "the primary is missing"},
		{"a kind that is not known", "redis+ring://a", "begins with something else"},
		{"a parameter that is not known", "redis://a?password=hunter2", "parameters behind the ?"},
		{"a name with a wrong escape", "redis://%zz:hunter2@a", "encodes nothing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := parse(t, "--store="+row.store, "--cookie-keys="+testSecret).settings()
			if err == nil || !strings.HasPrefix(err.Error(), "--store or HUSH_STORE: store: ") ||
				!strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v; want an error about store with %q", err, row.says)
			}
		})
	}
	mustSettings(t, "--store=redis+sentinel://a,b:26380/main/3?sentinel_user=u", "--cookie-keys="+testSecret)
}

// A value that is no known store is quoted as it was given. Where a password may stand it is not shown.
func TestTheAddressOfAnUnknownStoreIsQuotedWithoutAPassword(t *testing.T) {
	for _, row := range []struct{ name, store, says string }{
		{"a path", "/tmp/newcomer/cfg/y.db", `"/tmp/newcomer/cfg/y.db" is no known store: did you mean ` +
			`file:/tmp/newcomer/cfg/y.db?`},
		{"a name in this folder", "hush.db", "did you mean file:hush.db?"},
		{"a path of Windows", `C:\hush\y.db`, `did you mean file:C:\hush\y.db?`},
		{"a word", "memroy", `"memroy" is no known store: write memory`},
		{"a host and a port", "127.0.0.1:6379", `"127.0.0.1:6379" is no known store: write memory`},
		{"another database", "postgres://u:hunter2@db/x", `"postgres" is no known store: write memory`},
		{"a password without a scheme", ":hunter2@db.example:6379", `"[hidden]@db.example:6379" is no known store: write`},
		{"a name and a password", "u:hunter2/.@db", `"[hidden]@db" is no known store: write`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := parse(t, "--store="+row.store).settings()
			if err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got %v; want %q and no password", err, row.says)
			}
		})
	}
}

func TestAnEmptyArgumentIsNoCommand(t *testing.T) {
	for _, args := range [][]string{{""}, {"", "check"}, {"--log-level=error", ""}, {"serve", ""}, {"keys", ""}} {
		command := commandLine()
		command.SetArgs(args)
		if err := command.Execute(); err == nil || strings.Contains(err.Error(), "listen") {
			t.Errorf("idp %q: got %v; want a refusal of the argument", args, err)
		}
	}
}

func eventually(t *testing.T, what string, happens func() bool) {
	t.Helper()
	if !redistest.Eventually(happens) {
		t.Fatalf("it does not happen that %s", what)
	}
}
