// Package redistest starts real Redis servers for tests, and makes them fail as machines and networks do.
//
//	server := redistest.Start(t)                 one server, nothing on disk; ends with the test
//	server.Pause() … server.Resume()             it hangs: connections stay open, nothing answers
//	server.Stop()  … server.Restart()            it ends at once, and starts again at the same address
//	redistest.Start(t, redistest.Durable...)     acknowledged writes survive Stop
//
//	link := redistest.Connect(t, server)         a network in front of it:
//	link.Delay(200 * time.Millisecond)           slow
//	link.Cut()     … link.Mend()                 packets are lost, connections stay open
//
//	redistest.StartCluster(t).URL                three primaries that share the slots
//	redistest.StartSentinel(t).URL               a primary, its replica, three Sentinels
//
// Servers listen on loopback, at free ports, and are killed when the test or its process ends. Without redis-server (or
// valkey-server) the test fails: nothing is skipped. It needs signals of Unix. The servers have little data and a fast
// disk.
package redistest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Timeout is how long this package waits for anything.
const Timeout = 20 * time.Second

// Durable are the options of a server that acknowledges a write when it is on the disk.
var Durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// Server is a redis-server process of this test.
type Server struct {
	URL  string // redis://127.0.0.1:port
	Addr string // 127.0.0.1:port

	t       testing.TB
	program string
	args    []string
	output  string // the file with the output of the process

	mutex   sync.Mutex
	process *exec.Cmd
	watcher *exec.Cmd
}

// Start starts a server that stores nothing on disk. options are added to its command line: "--requirepass", "secret".
func Start(t testing.TB, options ...string) *Server {
	t.Helper()
	return start(t, "redis", nil, options...)
}

// start starts a server with the arguments first, which every server gets, and then options.
func start(t testing.TB, scheme string, first []string, options ...string) *Server {
	t.Helper()
	for range 3 { // another process may take the free port first
		address, dir := FreeAddress(t), t.TempDir()
		_, port, _ := net.SplitHostPort(address)
		common := []string{"--port", port, "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--appendonly", "no"}
		s := &Server{
			URL: scheme + "://" + address, Addr: address, t: t, program: find(t, "redis-server", "valkey-server"),
			args: slices.Concat(first, common, options), output: filepath.Join(dir, "output"),
		}
		if s.launch() {
			t.Cleanup(s.Stop)
			return s
		}
		s.Stop()
		if !strings.Contains(s.log(), inUse) {
			t.Fatalf("redistest: %s does not start: %s", s.program, s.log())
		}
	}
	t.Fatal("redistest: no free port was found")
	return nil
}

// find looks for a program by its names.
func find(t testing.TB, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("redistest: this test needs %s: on Debian, apt-get install --no-install-recommends redis-server",
		strings.Join(names, " or "))
	return ""
}

// FreeAddress is an address on loopback where nothing listens.
func FreeAddress(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// inUse is a part of the message of a server that ends because its port is taken.
const inUse = "ddress already in use"

// launch starts the process and waits until it answers.
func (s *Server) launch() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	output, err := os.Create(s.output)
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	defer func() { _ = output.Close() }()
	s.process = exec.Command(s.program, s.args...)
	s.process.Stdout, s.process.Stderr = output, output
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	s.watch()
	hasFailed := func() bool { return strings.Contains(s.log(), inUse) || strings.Contains(s.log(), "FATAL CONFIG") }
	return Eventually(func() bool { return s.answers() || hasFailed() }) && s.answers()
}

// log returns the output of the process.
func (s *Server) log() string {
	text, err := os.ReadFile(s.output)
	if err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	return string(text)
}

// watch makes the server end with the process of the test, however that ends: a shell waits for the end of a pipe that
// only this process has open.
func (s *Server) watch() {
	s.watcher = exec.Command("sh", "-c", `read -r _; kill -9 "$0"`, strconv.Itoa(s.process.Process.Pid))
	_, err := s.watcher.StdinPipe()
	if err := errors.Join(err, s.watcher.Start()); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
}

// answers reports whether the server answers commands, even if the answer only demands a password.
func (s *Server) answers() bool {
	answer, _ := s.command("PING") // redis-cli prints what went wrong
	return strings.HasPrefix(answer, "PONG") || strings.HasPrefix(answer, "NOAUTH")
}

// Stop kills the server as kill -9 does. Records in its memory are lost.
func (s *Server) Stop() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.process == nil {
		return
	}
	_ = s.watcher.Process.Kill() // first: later, another process could have the number that it kills
	_ = s.watcher.Wait()
	_ = s.process.Process.Kill()
	_ = s.process.Wait() // it says that it was killed
	s.process = nil
}

// Restart starts the server again at the same address, after Stop or instead of it.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	if !s.launch() {
		s.t.Fatalf("redistest: %s does not start again: %s", s.program, s.log())
	}
}

// Pause makes the server hang: its connections stay open, and nothing is answered.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume ends Pause: the server answers the commands that came meanwhile.
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.process == nil {
		s.t.Fatal("redistest: the server was stopped")
	}
	if err := s.process.Process.Signal(signal); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
}

// Command runs a command with redis-cli, and returns the output.
func (s *Server) Command(args ...string) string {
	s.t.Helper()
	output, err := s.command(args...)
	if err != nil {
		s.t.Fatalf("redistest: %s: %v: %s", strings.Join(args, " "), err, output)
	}
	return output
}

func (s *Server) command(args ...string) (string, error) {
	_, port, _ := net.SplitHostPort(s.Addr)
	args = append([]string{"-h", "127.0.0.1", "-p", port}, args...)
	command := exec.Command(find(s.t, "redis-cli", "valkey-cli"), args...)
	if at := slices.Index(s.args, "--requirepass"); at >= 0 {
		command.Env = append(command.Environ(), "REDISCLI_AUTH="+s.args[at+1])
	}
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// Calls is how often the server ran each command since its start or the last ForgetCalls, by its name in lower case.
// Commands of scripts count too.
func (s *Server) Calls() map[string]int {
	s.t.Helper()
	calls := map[string]int{}
	for line := range strings.Lines(s.Command("INFO", "commandstats")) {
		name, rest, ok := strings.Cut(strings.TrimPrefix(line, "cmdstat_"), ":calls=")
		if !ok {
			continue
		}
		count, _, _ := strings.Cut(rest, ",")
		calls[name], _ = strconv.Atoi(count) // the server writes a number there
	}
	return calls
}

// ForgetCalls resets the counts of Calls.
func (s *Server) ForgetCalls() {
	s.t.Helper()
	s.Command("CONFIG", "RESETSTAT")
}

// Eventually waits until holds returns true, at most for Timeout, and reports whether it did.
func Eventually(holds func() bool) bool {
	for end := time.Now().Add(Timeout); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if holds() {
			return true
		}
	}
	return false
}
