package main

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestProgram runs the program itself, as a user does.
func TestProgram(t *testing.T) {
	path := binary(t)
	for _, row := range []struct {
		name  string
		check func(t *testing.T, path string)
	}{
		{"it serves what it says, and its health can be asked for", checkServes},
		{"it serves https with a certificate of its own", checkServesTLS},
		{"SIGTERM: the request in flight is answered, then it ends with 0", checkSignal(syscall.SIGTERM)},
		{"SIGINT: the request in flight is answered, then it ends with 0", checkSignal(os.Interrupt)},
		{"a port that is taken", checkTakenPort},
		{"a file with a fault", checkFault},
		{"a signing key that cannot be read", checkBadKey},
		{"variables that are set to nothing say nothing", checkEmptyVariables},
		{"booleans with a line break at their end", checkBooleans},
		{"an unknown flag", checkUnknownFlag},
	} {
		t.Run(row.name, func(t *testing.T) { row.check(t, path) })
	}
}

func checkServes(t *testing.T, path string) {
	address := freeAddress(t, "127.0.0.1")
	issuer := "http://" + address
	p := start(t, path, "--listen", address, "--issuer", issuer, "--log-format=json")
	p.await(t, p.stdout, `"issuer":"`+issuer+`"`)
	if status, _ := get(t, issuer+"/nothing"); status != http.StatusNotFound {
		t.Errorf("/nothing gave %d", status)
	}
	if status, body := get(t, issuer+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz gave %d %s", status, body)
	}
	var metadata struct{ Issuer string }
	if _, body := get(t, issuer+"/.well-known/openid-configuration"); json.Unmarshal(body, &metadata) != nil ||
		metadata.Issuer != issuer {
		t.Errorf("Discovery §4.3: the metadata's issuer is %q; want %s", metadata.Issuer, issuer)
	}
	if code, said := runToEnd(t, path, "healthcheck", "--listen", address); code != 0 {
		t.Errorf("healthcheck ended with %d while the provider runs: %s", code, said)
	}
	p.signal(t, syscall.SIGTERM)
	if code := p.exit(t); code != 0 {
		t.Errorf("it ended with %d:\n%s", code, p.stderr)
	}
	if code, said := runToEnd(t, path, "healthcheck", "--listen", address); code == 0 ||
		!strings.Contains(said, "does not answer") {
		t.Errorf("healthcheck ended with %d after the provider: %s", code, said)
	}
	log := p.stderr.String()
	if !strings.Contains(log, `"path":"/nothing"`) {
		t.Errorf("the log has no line of the request that was refused:\n%s", log)
	}
	if strings.Contains(log, "/healthz") || strings.Contains(log, "/.well-known") {
		t.Errorf("the log has lines of requests that succeeded:\n%s", log)
	}
	for line := range strings.Lines(p.stderr.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("--log-format=json wrote %s", line)
		}
	}
}

func checkServesTLS(t *testing.T, path string) {
	address := freeAddress(t, "127.0.0.1")
	p := startServing(t, path, "--listen", address, "--tls-self-signed")
	_, port, _ := net.SplitHostPort(address)
	if want := "https://localhost:" + port; !strings.Contains(p.stdout.String(), want+" ") {
		t.Errorf("it says\n%s\nwant the issuer %s", p.stdout, want)
	}
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	response, err := client.Get("https://" + address + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("/healthz gave %s", response.Status)
	}
	if code, said := runToEnd(t, path, "healthcheck", "--listen", address, "--tls-self-signed"); code != 0 {
		t.Errorf("healthcheck ended with %d: %s", code, said)
	}
}

// checkSignal has a token request whose body is still on its way when the signal comes.
func checkSignal(signal os.Signal) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		address := freeAddress(t, "127.0.0.1")
		p := startServing(t, path, "--listen", address)
		conn, answer := beginRequest(t, address, "grant_type=authorization_code")
		p.signal(t, signal)
		p.await(t, p.stderr, "ending")
		if _, err := fmt.Fprint(conn, "grant_type=authorization_code"); err != nil {
			t.Fatal(err)
		}
		response, err := http.ReadResponse(answer, nil)
		if err != nil {
			t.Fatalf("the request in flight was not answered: %v", err)
		}
		defer response.Body.Close()
		var body struct{ Error string }
		if err := json.NewDecoder(response.Body).Decode(&body); err != nil || body.Error == "" {
			t.Errorf("the request in flight got %s %v; want a whole answer of the token endpoint", response.Status, err)
		}
		if code := p.exit(t); code != 0 {
			t.Errorf("it ended with %d:\n%s", code, p.stderr)
		}
	}
}

// beginRequest sends the head of a token request and returns when the provider has begun to read the body: it says 100
// Continue then.
func beginRequest(t *testing.T, address, body string) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST /token HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", address, len(body))
	if err != nil {
		t.Fatal(err)
	}
	answer := bufio.NewReader(conn)
	status, err := answer.ReadString('\n')
	if err != nil || !strings.Contains(status, "100 Continue") {
		t.Fatalf("RFC 9110 §10.1.1: got %q, %v; want 100 Continue", status, err)
	}
	if _, err := answer.ReadString('\n'); err != nil { // the empty line after it
		t.Fatal(err)
	}
	return conn, answer
}

func checkTakenPort(t *testing.T, path string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	code, said := runToEnd(t, path, "--listen", listener.Addr().String())
	if code != 1 || !strings.Contains(said, listener.Addr().String()) || !strings.Contains(said, "--listen") {
		t.Errorf("it ended with %d: %s; want 1, the address and the remedy", code, said)
	}
	if strings.Contains(said, "Hush is the OpenID provider") {
		t.Errorf("it says that it serves, and does not: %s", said)
	}
}

func checkFault(t *testing.T, path string) {
	name := file(t, "issuer: http://localhost:8080\nlog_level: loud\n")
	code, said := runToEnd(t, path, "--config", name)
	if code != 1 || !strings.HasPrefix(said, name+":2: log_level") {
		t.Errorf("it ended with %d: %s; want 1, and the file and line first", code, said)
	}
}

func checkBadKey(t *testing.T, path string) {
	key := filepath.Join(t.TempDir(), "missing.pem")
	name := file(t, "signing_keys: [{alg: RS256, file: "+key+"}]\n")
	code, said := runToEnd(t, path, "--config", name, "--listen", freeAddress(t, "127.0.0.1"))
	if code != 1 || !strings.Contains(said, key) {
		t.Errorf("it ended with %d: %s; want 1, and the file's name", code, said)
	}
}

// checkEmptyVariables: docker compose passes on what its own environment lacks as an empty variable.
func checkEmptyVariables(t *testing.T, path string) {
	for _, row := range precedence {
		t.Setenv(row.env, "")
	}
	t.Setenv("HUSH_CONFIG", "")
	p := startServing(t, path, "--listen", freeAddress(t, "127.0.0.1"))
	p.await(t, p.stdout, "alice") // the defaults
}

func checkBooleans(t *testing.T, path string) {
	t.Setenv("HUSH_DEV", " false\r\n")
	t.Setenv("HUSH_TLS_SELF_SIGNED", "true\n")
	code, said := runToEnd(t, path, "check")
	if code != 0 || !strings.Contains(said, "(https)") || !strings.Contains(said, "off") {
		t.Errorf("it ended with %d: %s; want development mode off, and https", code, said)
	}
}

func checkUnknownFlag(t *testing.T, path string) {
	if code, said := runToEnd(t, path, "--liste=127.0.0.1:1"); code == 0 || !strings.Contains(said, "--liste") {
		t.Errorf("it ended with %d: %s; want an error that names the flag", code, said)
	}
}

func get(t *testing.T, url string) (int, []byte) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}
