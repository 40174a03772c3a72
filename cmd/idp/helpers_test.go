package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// folder is gone when the tests are.
var folder string

// TestMain keeps what the developer's own shell has set out of the tests.
func TestMain(m *testing.M) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "HUSH_") {
			_ = os.Unsetenv(name) // a name that came from Environ can be unset
		}
	}
	// a load that opens a connection for each request runs out of ports
	http.DefaultTransport.(*http.Transport).MaxIdleConnsPerHost = 100
	var err error
	if folder, err = os.MkdirTemp("", "idp"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(folder) // it holds a program and nothing else
	os.Exit(code)
}

// parse reads a command line, and the environment, as main does.
func parse(t *testing.T, args ...string) flags {
	t.Helper()
	given := newFlags()
	if err := given.Parse(args); err != nil {
		t.Fatal(err)
	}
	return given
}

// mustSettings are the settings of a good command line.
func mustSettings(t *testing.T, args ...string) settings {
	t.Helper()
	s, err := parse(t, args...).settings()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// file writes a configuration file and returns its name.
func file(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "hush.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

const bcryptHash = "$2a$04$IqtYIirOf20f7bolEBP1OeGxqEuRYN5VNC.iA4fHjX2P7a9NsVyzm"

// loopbackFile and publicFile are good configurations; the rows of the tests change one thing about them.
const (
	loopbackFile = `
issuer: http://localhost:8080
users:
  - username: alice
    password: alice
clients:
  - client_id: spa
    token_endpoint_auth_method: none
    redirect_uris:
      - http://localhost:9090/cb
`
	publicFile = `
issuer: https://login.example.com
users:
  - username: dana
    password_hash: ` + bcryptHash + `
clients:
  - client_id: shop
    client_secret: a-long-random-secret
    redirect_uris:
      - https://shop.example.com/cb
`
)
