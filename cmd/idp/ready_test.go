package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// readyLine is the form of the ready file, as a test in another language reads it.
type readyLine struct {
	Issuer, Console string
	Port, PID       int
}

// TestTwentyProvidersStartInParallel is what parallel tests do: each provider has a port that the system chose, each is
// found by its ready file, and each ends cleanly.
func TestTwentyProvidersStartInParallel(t *testing.T) {
	const many = 20
	path, folder := binary(t), t.TempDir()
	// RSA keys would take the time of this test
	t.Setenv("HUSH_CONFIG_JSON", `{"signing_keys": [{"alg": "ES256"}]}`)
	programs := make([]*program, many)
	for i := range programs {
		programs[i] = start(t, path, "--listen", "127.0.0.1:0", "--ready-file", readyFile(folder, i))
	}
	ports := map[int]bool{}
	for i, p := range programs {
		ready := awaitReady(t, p, readyFile(folder, i))
		checkReady(t, p, ready)
		ports[ready.Port] = true
	}
	if len(ports) != many {
		t.Errorf("%d providers have %d ports", many, len(ports))
	}
	for _, p := range programs {
		p.signal(t, syscall.SIGTERM)
	}
	for i, p := range programs {
		if code := p.exit(t); code != 0 || strings.Contains(p.stderr.String(), "level=ERROR") {
			t.Errorf("a provider ended with %d and said %s", code, p.stderr)
		}
		if _, err := os.Stat(readyFile(folder, i)); !os.IsNotExist(err) {
			t.Errorf("the ready file of a provider that ended: %v; want none", err)
		}
	}
}

func readyFile(folder string, i int) string { return filepath.Join(folder, fmt.Sprintf("%d.json", i)) }

// awaitReady waits until the program has written the file: a reader sees all of it or nothing.
func awaitReady(t *testing.T, p *program, name string) (ready readyLine) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	failed := time.After(testTimeout)
	for {
		text, err := os.ReadFile(name)
		if err == nil {
			if err := json.Unmarshal(text, &ready); err != nil {
				t.Fatalf("the ready file is no JSON: %v: %s", err, text)
			}
			return ready
		}
		select {
		case <-ticker.C:
		case <-p.ended:
			t.Fatalf("the program ended without a ready file:\n%s%s", p.stdout, p.stderr)
		case <-failed:
			t.Fatalf("there is no ready file: %v\n%s%s", err, p.stdout, p.stderr)
		}
	}
}

// checkReady compares the ready file with the process, with its message on stdout, and with what it serves.
func checkReady(t *testing.T, p *program, ready readyLine) {
	t.Helper()
	issuer := fmt.Sprintf("http://localhost:%d", ready.Port)
	if want := (readyLine{issuer, issuer + "/console", ready.Port, p.command.Process.Pid}); ready != want {
		t.Errorf("the ready file says %+v; want %+v", ready, want)
	}
	var said readyLine
	p.await(t, p.stdout, "\n")
	if err := json.Unmarshal([]byte(p.stdout.String()), &said); err != nil || said != ready {
		t.Errorf("stdout is not the line of the ready file: %v: %s", err, p.stdout)
	}
	response, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/.well-known/openid-configuration", ready.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var metadata struct{ Issuer string }
	if err := json.NewDecoder(response.Body).Decode(&metadata); err != nil || metadata.Issuer != issuer {
		t.Errorf("discovery names the issuer %s, %v; want %s", metadata.Issuer, err, issuer)
	}
}

// A ready file of a process that was killed names an address where nobody listens any more.
func TestAnOldReadyFileIsRemovedAtTheStart(t *testing.T) {
	s := mustSettings(t, "--ready-file", filepath.Join(t.TempDir(), "ready.json"))
	for _, text := range []string{string(s.ready()), ""} {
		if err := os.WriteFile(s.ReadyFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.removeReadyFile(); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(s.ReadyFile); !os.IsNotExist(err) {
			t.Errorf("the old file %q is there still: %v", text, err)
		}
	}
	if err := s.removeReadyFile(); err != nil {
		t.Errorf("without an old file: %v", err)
	}
	s.ReadyFile = t.TempDir()
	if _, err := s.writeReadyFile(); err == nil || !strings.Contains(err.Error(), "ready_file: ") {
		t.Errorf("a ready file that is a folder gave %v; want an error about ready_file", err)
	}
}

// A wrong path must not cost data.
func TestAFileThatIsNoReadyFileStays(t *testing.T) {
	s := mustSettings(t, "--ready-file", filepath.Join(t.TempDir(), "own.yaml"))
	for _, text := range []string{"users: []\n", "{}", `{"issuer":"https://example.com"}`, strings.Repeat(" ", 5000)} {
		if err := os.WriteFile(s.ReadyFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := s.removeReadyFile(); err == nil || !strings.Contains(err.Error(), "is no ready file") {
			t.Errorf("%.20q gave %v; want an error", text, err)
		}
		if after, err := os.ReadFile(s.ReadyFile); err != nil || string(after) != text {
			t.Errorf("the file is now %q, %v; want it as it was", after, err)
		}
	}
	s.ReadyFile = t.TempDir()
	if err := s.removeReadyFile(); err == nil {
		t.Error("an empty folder was removed")
	}
}

func TestTheEndRemovesItsOwnReadyFileAlone(t *testing.T) {
	s := mustSettings(t, "--ready-file", filepath.Join(t.TempDir(), "ready.json"))
	remove, err := s.writeReadyFile()
	if err != nil {
		t.Fatal(err)
	}
	other := []byte(`{"issuer":"http://localhost:1","pid":1}`)
	if err := os.WriteFile(s.ReadyFile, other, 0o600); err != nil {
		t.Fatal(err)
	}
	remove()
	if _, err := os.Stat(s.ReadyFile); err != nil {
		t.Errorf("the ready file of another provider is gone: %v", err)
	}
}

func TestALogInJSONHasAHelloInJSON(t *testing.T) {
	var text strings.Builder
	if err := hello(&text, mustSettings(t, "--log-format=json", "--dev=false")); err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"issuer":"http://localhost:8080","port":8080,"pid":%d}`+"\n", os.Getpid())
	if text.String() != want {
		t.Errorf("hello says %s; want %s", &text, want)
	}
}

func TestTheIssuerFollowsFromAPortThatTheSystemChose(t *testing.T) {
	_, err := parse(t, "--listen=127.0.0.1:0", "--issuer=http://localhost:8080").settings()
	if err == nil || !strings.Contains(err.Error(), "remove one of the two") {
		t.Errorf("an issuer beside port 0 gave %v; want a problem", err)
	}
	s := mustSettings(t, "--listen=127.0.0.1:0", "--tls-self-signed")
	if err := s.choosePort(); err != nil {
		t.Fatal(err)
	}
	defer s.bound.Close()
	if s.hasFreePort() || !strings.HasPrefix(s.Issuer, "https://localhost:") || s.Layouts != nil ||
		!strings.HasSuffix(s.Listen, strings.TrimPrefix(s.Issuer, "https://localhost")) {
		t.Errorf("listen is %s and the issuer %s", s.Listen, s.Issuer)
	}
}

func TestTheConfigurationIsReadInline(t *testing.T) {
	const text = `{"issuer": "http://localhost:1", "users": [{"username": "dana", "password": "dana"}]}`
	stdin := os.Stdin
	t.Cleanup(func() { os.Stdin = stdin })
	given, err := os.Open(file(t, text))
	if err != nil {
		t.Fatal(err)
	}
	defer given.Close()
	os.Stdin = given
	for name, s := range map[string]settings{
		"by a flag": mustSettings(t, "--config-json", text), "from stdin": mustSettings(t, "--config", "-"),
	} {
		if s.Issuer != "http://localhost:1" || len(s.Users) != 1 || s.Users[0].Username != "dana" {
			t.Errorf("%s: %s with %d users", name, s.Issuer, len(s.Users))
		}
	}
	t.Setenv("HUSH_CONFIG_JSON", "issuer: http://localhost:2\nnonsense: 1\n")
	if _, err := parse(t).settings(); err == nil || !strings.Contains(err.Error(), "HUSH_CONFIG_JSON:2: nonsense") {
		t.Errorf("a mistake in the variable gave %v; want its line", err)
	}
	_, err = parse(t, "--config", file(t, "")).settings()
	if err == nil || !strings.Contains(err.Error(), "keep one of the two") {
		t.Errorf("a file and the variable gave %v; want a problem", err)
	}
}
