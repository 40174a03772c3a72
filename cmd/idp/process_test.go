package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// testTimeout is how long a test waits for an event before it fails; it is the time until a failure, not of
// a success.
const testTimeout = time.Minute

// built is the program, made once for all tests, in the folder of TestMain.
var built = sync.OnceValues(func() (path string, err error) {
	path = filepath.Join(folder, "idp")
	if output, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return path, nil
})

// binary is the path of the program.
func binary(t *testing.T) string {
	t.Helper()
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// freeAddress is an address of this machine at which nobody listens now.
func freeAddress(t *testing.T, host string) string {
	t.Helper()
	listener, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// program is the program as it runs. It ends with the test at the latest.
type program struct {
	command        *exec.Cmd
	stdout, stderr *output
	ended          chan struct{} // closed when it has ended
}

func start(t *testing.T, path string, args ...string) *program {
	t.Helper()
	p := &program{command: exec.Command(path, args...), stdout: newOutput(), stderr: newOutput(),
		ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = p.stdout, p.stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // ProcessState keeps what it says
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // mostly it has ended already
		<-p.ended
	})
	return p
}

// startServing returns when the program listens: it says so, and more after that.
func startServing(t *testing.T, path string, args ...string) *program {
	t.Helper()
	p := start(t, path, args...)
	p.await(t, p.stdout, "Hush is the OpenID provider")
	return p
}

// await waits until text was written.
func (p *program) await(t *testing.T, to *output, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	for !strings.Contains(to.String(), text) {
		select {
		case <-to.more:
		case <-p.ended:
			if !strings.Contains(to.String(), text) {
				t.Fatalf("the program ended without saying %q:\n%s%s", text, p.stdout, p.stderr)
			}
		case <-ctx.Done():
			t.Fatalf("the program does not say %q:\n%s%s", text, p.stdout, p.stderr)
		}
	}
}

// exit waits until the program has ended and returns its code; -1 after a signal.
func (p *program) exit(t *testing.T) int {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(testTimeout):
		t.Fatalf("the program does not end:\n%s%s", p.stdout, p.stderr)
	}
	return p.command.ProcessState.ExitCode()
}

func (p *program) signal(t *testing.T, signal os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Fatal(err)
	}
}

// runToEnd runs the program to its end and returns its code and what it said.
func runToEnd(t *testing.T, path string, args ...string) (code int, said string) {
	t.Helper()
	p := start(t, path, args...)
	code = p.exit(t)
	return code, p.stdout.String() + p.stderr.String()
}

// output stores what is written to it and signals each write.
type output struct {
	mutex sync.Mutex
	text  bytes.Buffer
	more  chan struct{}
}

func newOutput() *output { return &output{more: make(chan struct{}, 1)} }

func (o *output) Write(p []byte) (int, error) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	select {
	case o.more <- struct{}{}:
	default: // a signal is waiting already
	}
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.text.String()
}
