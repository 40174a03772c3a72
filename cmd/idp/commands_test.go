package main

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage/redis/redistest"
)

func TestCheckSaysWhatItWouldRunWith(t *testing.T) {
	path, store := binary(t), filepath.Join(t.TempDir(), "hush.db")
	code, said := runToEnd(t, path, "check", "--store", "file:"+store, "--listen", "127.0.0.1:8099")
	for _, want := range []string{"http://localhost:8099", "127.0.0.1:8099 (http)", store, store + ".secret",
		"alice, bob, carol", "spa (public, PKCE)", "in the store, encrypted", "http://localhost:8099/metrics"} {
		if code != 0 || !strings.Contains(said, want) {
			t.Errorf("it ended with %d and does not say %q:\n%s", code, want, said)
		}
	}
	if left, _ := filepath.Glob(store + "*"); len(left) > 0 {
		t.Errorf("it made %v", left)
	}
	code, said = runToEnd(t, path, "check", "--store", "redis+sentinel://u:hunter2@a:1,b:2/main?sentinel_password=hunter3",
		"--cookie-keys", testSecret)
	if code != 0 || strings.Contains(said, "hunter") || strings.Contains(said, testSecret) ||
		!strings.Contains(said, "a:1,b:2/main") {
		t.Errorf("it ended with %d and said\n%s\nwant the store without its passwords", code, said)
	}
}

func TestCheckSaysWhereMetricsAreAndWhatIsLimited(t *testing.T) {
	path := binary(t)
	public := publicFile + "cookie_keys: [" + testSecret + "]\n"
	for name, row := range map[string]struct {
		args []string
		want []string
	}{
		"a loopback issuer": {[]string{"--listen", "127.0.0.1:8099"},
			[]string{`metrics +http://localhost:8099/metrics\n`, `limits +none\n`}},
		"one with a limit": {
			[]string{"--config", file(t, loopbackFile+"limits: {token: {per_address: 7/1s}}\n"), "--metrics-listen",
				"127.0.0.1:9464"},
			[]string{`metrics +http://localhost:8080/metrics and http://127.0.0.1:9464/metrics\n`,
				`limits +token.per_address 7/1s\n +trusted_proxies 127.0.0.0/8, ::1/128\n$`},
		},
		"everybody's": {
			[]string{"--config", file(t, public+"limits: {trusted_proxies: [], login: {per_address: off}}\n")},
			[]string{`metrics +nowhere`, `limits +device.per_address 20/10m\n +password.per_address 60/1m\n`,
				`\n +token.per_client 60000/1m\n +trusted_proxies none\n`},
		},
	} {
		code, stdout, stderr := runWith(t, "", path, append([]string{"check"}, row.args...)...)
		for _, want := range row.want {
			if code != 0 || !regexp.MustCompile(want).MatchString(stdout) {
				t.Errorf("%s: it ended with %d and does not say %q:\n%s%s", name, code, want, stdout, stderr)
			}
		}
	}
}

func TestCheckSaysAllThatIsWrong(t *testing.T) {
	path := binary(t)
	code, said := runToEnd(t, path, "check", "--config", file(t, "issuer: http://example.com\nlog_level: loud\n"))
	if code != 1 || !strings.Contains(said, ":1: issuer") || !strings.Contains(said, ":2: log_level") {
		t.Errorf("it ended with %d and said %s", code, said)
	}
	key := filepath.Join(t.TempDir(), "missing.pem")
	code, said = runToEnd(t, path, "check", "--config", file(t, "signing_keys: [{alg: RS256, file: "+key+"}]\n"))
	if code != 1 || !strings.Contains(said, key) {
		t.Errorf("a signing key that is not there: it ended with %d and said %s", code, said)
	}
}

// runWith is runToEnd with something to read.
func runWith(t *testing.T, stdin, path string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	command, said, complained := exec.Command(path, args...), newOutput(), newOutput()
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), said, complained
	_ = command.Run() // the code says whether it failed
	return command.ProcessState.ExitCode(), said.String(), complained.String()
}

func TestAPasswordAsAnArgumentIsNotShown(t *testing.T) {
	code, said := runToEnd(t, binary(t), "hash-password", testSecret)
	if code != 1 || strings.Contains(said, testSecret) || !strings.Contains(said, "write idp hash-password") {
		t.Errorf("it ended with %d and said %s", code, said)
	}
}

func TestAHashOfAPasswordIsOneThatUsersSignInWith(t *testing.T) {
	path := binary(t)
	const argon2id, bcrypt = "$argon2id$v=19$m=65536,t=3,p=1$", "$2b$12$"
	for _, row := range []struct{ algorithm, prefix, stdin string }{
		{"argon2id", argon2id, "pass wörd"}, {"argon2id", argon2id, "pass wörd\n"}, {"bcrypt", bcrypt, "pass wörd\r\n"},
	} {
		code, hash, said := runWith(t, row.stdin, path, "hash-password", "--algorithm", row.algorithm)
		hash = strings.TrimSpace(hash)
		if code != 0 || !strings.HasPrefix(hash, row.prefix) {
			t.Fatalf("%s of %q ended with %d: %s%s", row.algorithm, row.stdin, code, hash, said)
		}
		directory, err := users.New([]users.User{{Username: "dana", PasswordHash: hash}})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok, _ := directory.Authenticate(t.Context(), "dana", "pass wörd"); !ok {
			t.Errorf("%s of %q does not let dana in", row.algorithm, row.stdin)
		}
		if _, ok, _ := directory.Authenticate(t.Context(), "dana", "password"); ok {
			t.Errorf("%s accepts another password", row.algorithm)
		}
	}
}

func TestPasswordsThatCannotBeHashed(t *testing.T) {
	path := binary(t)
	for name, row := range map[string]struct{ algorithm, stdin, says string }{
		"none":                     {"argon2id", "\n", "no password came"},
		"two lines":                {"argon2id", "a\nb\n", "more than one line"},
		"more than bcrypt reads":   {"bcrypt", strings.Repeat("x", 73), "argon2id"},
		"more than a form sends":   {"argon2id", strings.Repeat("x", maxPassword+1), "no login form"},
		"a hash that is not known": {"md5", "x", "argon2id"},
	} {
		if code, hash, said := runWith(t, row.stdin, path, "hash-password", "--algorithm", row.algorithm); code == 0 ||
			hash != "" && row.algorithm != "md5" || !strings.Contains(said, row.says) {
			t.Errorf("%s: it ended with %d and said %s%s", name, code, hash, said)
		}
	}
}

func TestWhatNoCommandCanDo(t *testing.T) {
	path, folder := binary(t), t.TempDir()
	held, address := "file:"+filepath.Join(folder, "held.db"), freeAddress(t, "127.0.0.1")
	startServing(t, path, "--listen", address, "--issuer", "http://"+address, "--store", held)
	elsewhere := file(t, publicFile+"cookie_keys: ["+testSecret+"]\n")
	for name, row := range map[string]struct {
		says string
		args []string
	}{
		"keys of a memory":     {"same --store", []string{"keys", "list"}},
		"rotation in a memory": {"same --store", []string{"keys", "rotate"}},
		"sessions of a memory": {"same --store", []string{"sessions", "list"}},
		"a token of a memory":  {"same --store", []string{"token", "alice", "spa"}},
		"a file that is not there": {"no file",
			[]string{"keys", "list", "--store", "file:" + filepath.Join(folder, "none.db")}},
		"a file that is held": {"another process", []string{"keys", "list", "--store", held}},
		"a token for everybody": {"not an address of this machine",
			[]string{"token", "dana", "shop", "--config", elsewhere}},
		"a token of nobody":         {"not configured", []string{"token", "mallory", "spa"}},
		"a token for no client":     {"not configured", []string{"token", "alice", "unknown"}},
		"Redis without cookie_keys": {"cookie_keys", []string{"keys", "rotate", "--store", "redis://127.0.0.1:1"}},
		"a command without its end": {"keys", []string{"keys"}},
	} {
		if code, said := runToEnd(t, path, row.args...); code == 0 || !strings.Contains(said, row.says) {
			t.Errorf("%s: it ended with %d and said %s", name, code, said)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(folder, "none*")); len(left) > 0 {
		t.Errorf("a command made %v", left)
	}
}

// TestCommandsBesideAProviderOnRedis: what a command does, the provider that runs does at once.
func TestCommandsBesideAProviderOnRedis(t *testing.T) {
	server, path, address := redistest.Start(t), binary(t), freeAddress(t, "127.0.0.1")
	same := []string{"--listen", address, "--issuer", "http://" + address, "--store", server.URL, "--cookie-keys",
		testSecret, "--dev=false"}
	startServing(t, path, same...)
	command := func(words ...string) string {
		t.Helper()
		code, said := runToEnd(t, path, append(words, same...)...)
		if code != 0 {
			t.Fatalf("%v ended with %d and said %s", words, code, said)
		}
		return said
	}

	before := kid(t, address)
	if said := command("keys", "list"); !strings.Contains(said, before) || !strings.Contains(said, "signs\n") {
		t.Errorf("keys list says\n%s\nwant %s, which signs", said, before)
	}
	if said := command("keys", "rotate"); strings.Count(said, "RS256") != 2 || !strings.Contains(said, "signs from") ||
		!strings.Contains(said, "signs until its successor does") || !strings.Contains(said, "within 3 seconds") {
		t.Errorf("keys rotate says\n%s\nwant the old key and its successor", said)
	}
	if said := command("keys", "rotate"); strings.Count(said, "RS256") != 2 || !strings.Contains(said, "Nothing changed") {
		t.Errorf("a second rotation at once says\n%s", said)
	}
	eventually(t, "the provider publishes both keys", func() bool {
		_, body := get(t, "http://"+address+"/jwks")
		return strings.Count(string(body), `"kid"`) == 2
	})

	checkMinted(t, "http://"+address, strings.TrimSpace(command("token", "alice", "spa")))
	checkSessions(t, address, command)
}

// checkMinted holds that the provider takes the token for its own.
func checkMinted(t *testing.T, issuer, token string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, issuer+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	var claims struct{ Sub string }
	if err != nil || json.Unmarshal(body, &claims) != nil || response.StatusCode != http.StatusOK ||
		claims.Sub != "alice" {
		t.Errorf("Core §5.3 with the token userinfo answers %s %s %v; want alice", response.Status, body, err)
	}
}

// checkSessions lists two sessions, ends one by its ID and one by its sid.
func checkSessions(t *testing.T, address string, command func(...string) string) {
	t.Helper()
	alice, bob := newPerson(t, address, "alice"), newPerson(t, address, "bob")
	said := command("sessions", "list")
	if strings.Count(said, "signed_in") != 2 || strings.Count(said, "Go-http-client") != 2 {
		t.Fatalf("sessions list says\n%s\nwant two that are signed in", said)
	}
	for _, user := range []string{"alice", "ALICE@example.com"} {
		if said := command("sessions", "list", "--user", user); strings.Count(said, "signed_in") != 1 ||
			!strings.Contains(said, "alice\n") {
			t.Errorf("sessions list --user %s says\n%s\nwant alice's", user, said)
		}
	}
	if said := command("sessions", "list", "--user", "mallory"); !strings.Contains(said, "no session of the sub mallory") {
		t.Errorf("sessions list of nobody says %s", said)
	}
	command("sessions", "end", idOf(t, said, "alice"))
	token := bob.Tokens("spa", bob.Code(idptest.Request("spa", "prompt", "none")))["id_token"].(string)
	command("sessions", "end", sidOf(t, token))
	for _, person := range []*person{alice, bob} {
		eventually(t, "the provider notices that the session ended", func() bool {
			answer := person.Authorize(idptest.Request("spa", "prompt", "none"))
			return answer.Location != nil && answer.Location.Query().Get("error") == "login_required"
		})
	}
	if said := command("sessions", "list"); strings.Count(said, "signed_out") != 2 || !strings.Contains(said, "alice\n") ||
		!strings.Contains(said, "bob\n") {
		t.Errorf("sessions list says\n%s\nwant two that are signed out", said)
	}
	if said := command("sessions", "end", idOf(t, command("sessions", "list"), "signed_out")); !strings.Contains(said,
		"already") {
		t.Errorf("a second end says %s", said)
	}
}

// sidOf is the sid claim of a JWT.
func sidOf(t *testing.T, token string) string {
	t.Helper()
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	var claims struct{ SID string }
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.SID == "" {
		t.Fatalf("Front-Channel Logout §3: the ID token has no sid: %s", payload)
	}
	return claims.SID
}

// idOf is the first cell of the line that has word in it.
func idOf(t *testing.T, table, word string) string {
	t.Helper()
	for line := range strings.Lines(table) {
		if strings.Contains(line, word) {
			return strings.Fields(line)[0]
		}
	}
	t.Fatalf("no line has %s in it:\n%s", word, table)
	return ""
}

// TestCommandsBetweenTwoRunsOnAFile: a file has one process at a time.
func TestCommandsBetweenTwoRunsOnAFile(t *testing.T) {
	path, address := binary(t), freeAddress(t, "127.0.0.1")
	same := []string{"--listen", address, "--issuer", "http://" + address, "--store", "file:" +
		filepath.Join(t.TempDir(), "hush.db")}
	p := startServing(t, path, same...)
	before := kid(t, address)
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	code, token, complained := runWith(t, "", path, append([]string{"token", "ALICE", "spa"}, same...)...)
	if code != 0 || strings.Count(token, ".") != 2 {
		t.Fatalf("token ended with %d and said %s%s", code, token, complained)
	}
	if code, said := runToEnd(t, path, append([]string{"keys", "rotate"}, same...)...); code != 0 ||
		!strings.Contains(said, before) {
		t.Fatalf("keys rotate ended with %d and said %s", code, said)
	}
	if code, said := runToEnd(t, path, append([]string{"sessions", "end", "nobody's"}, same...)...); code == 0 ||
		!strings.Contains(said, "no such session") {
		t.Errorf("the end of a session that is not there ended with %d and said %s", code, said)
	}
	startServing(t, path, same...)
	if after := kid(t, address); after == before {
		t.Error("the provider still signs with the key that was replaced while it was down")
	}
	checkMinted(t, "http://"+address, strings.TrimSpace(token))
}

// The command signs the logout token with the keys of the provider, which are in the store.
func TestTheCommandThatEndsASessionNotifiesItsApps(t *testing.T) { // Back-Channel Logout §2.5
	heard := make(chan string, 1)
	app := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter,
		r *http.Request) {
		heard <- r.PostFormValue("logout_token")
	}))
	defer app.Close()
	path, address := binary(t), freeAddress(t, "127.0.0.1")
	config := file(t, `clients:
  - client_id: spa
    token_endpoint_auth_method: none
    first_party: true
    redirect_uris: [ "http://localhost:9090/spa/callback.html" ]
    backchannel_logout_uri: "`+app.URL+`/out"
`)
	same := []string{"--listen", address, "--issuer", "http://" + address, "--config", config, "--store", "file:" +
		filepath.Join(t.TempDir(), "hush.db")}
	p := startServing(t, path, same...)
	alice := newPerson(t, address, "alice")
	sid := sidOf(t, alice.Tokens("spa", alice.Code(idptest.Request("spa")))["id_token"].(string))
	p.signal(t, syscall.SIGTERM)
	p.exit(t)
	code, said := runToEnd(t, path, append([]string{"sessions", "end", sid}, same...)...)
	if code != 0 || !strings.Contains(said, "sent to spa") {
		t.Fatalf("sessions end ended with %d and said %s", code, said)
	}
	if got := sidOf(t, <-heard); got != sid {
		t.Errorf("the logout token is about %s; want %s", got, sid)
	}
}

// TestATokenSignedWithAFileNeedsNoStore: then the key is at hand while the provider runs.
func TestATokenSignedWithAFileNeedsNoStore(t *testing.T) {
	path, address, key := binary(t), freeAddress(t, "127.0.0.1"), filepath.Join(t.TempDir(), "key.pem")
	if output, err := exec.CommandContext(t.Context(), "openssl", "genpkey", "-algorithm", "ED25519", "-out",
		key).CombinedOutput(); err != nil {
		t.Fatalf("openssl: %v\n%s", err, output)
	}
	if err := os.Chmod(key, 0o600); err != nil {
		t.Fatal(err)
	}
	same := []string{"--listen", address, "--issuer", "http://" + address, "--config",
		file(t, "signing_keys: [{alg: EdDSA, file: "+key+"}]\n")}
	startServing(t, path, same...)
	code, token, complained := runWith(t, "", path, append([]string{"token", "alice@example.com", "web"}, same...)...)
	if code != 0 {
		t.Fatalf("it ended with %d and said %s", code, complained)
	}
	checkMinted(t, "http://"+address, strings.TrimSpace(token))
}
