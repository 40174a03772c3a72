// Package redistest starts real Redis servers for tests, and lets them fail as machines and networks do.
//
//	server := redistest.Start(t)                 one server, nothing on disk; gone with the test
//	server.Pause() … server.Resume()             it hangs: connections stay, nothing answers
//	server.Stop()  … server.Restart()            it dies at once, and comes back at the same address
//	redistest.Start(t, redistest.Durable...)     what it acknowledged survives Stop
//
//	link := redistest.Connect(t, server)         a network in front of it:
//	link.Delay(200 * time.Millisecond)           slow
//	link.Cut()     … link.Mend()                 silent: packets are lost, connections stay
//
//	redistest.StartCluster(t).URL                three primaries that share the slots
//	redistest.StartSentinel(t).URL               a primary, a replica, three Sentinels that replace the one by the other
//
// Servers listen on loopback, at ports that were free, and are killed when the test ends or its process dies. A machine
// without redis-server (or valkey-server) fails the test: nothing is skipped.
//
// # Where teaching ends
//
// The servers of a test are young: no big data to load, no slow disk. Signals make it a thing for Unix.
package redistest

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Timeout is how long this package waits for anything.
const Timeout = 20 * time.Second

// Durable are the options of a server that has on its disk what it acknowledged.
var Durable = []string{"--appendonly", "yes", "--appendfsync", "always"}

// Server is a redis-server process of this test.
type Server struct {
	URL  string // redis://127.0.0.1:port
	Addr string // 127.0.0.1:port

	t        testing.TB
	program  string
	args     []string
	password string

	mutex   sync.Mutex
	process *exec.Cmd
	watcher *exec.Cmd
	output  *log
}

// Start starts a server that keeps nothing on disk. options are added to its command line: "--requirepass", "secret".
func Start(t testing.TB, options ...string) *Server {
	t.Helper()
	return start(t, "redis", options...)
}

func start(t testing.TB, scheme string, options ...string) *Server {
	t.Helper()
	for range 3 { // another process may take the free port first
		s := &Server{t: t, program: find(t, "redis-server", "valkey-server"), password: after(options, "--requirepass")}
		s.Addr = FreeAddress(t)
		s.URL = scheme + "://" + s.Addr
		_, port, _ := net.SplitHostPort(s.Addr)
		s.args = append(
			[]string{"--port", port, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--appendonly", "no"},
			options...)
		if s.launch() {
			t.Cleanup(s.Stop)
			return s
		}
		s.Stop()
		if !strings.Contains(s.output.String(), "Address already in use") {
			t.Fatalf("redistest: %s does not start: %s", s.program, s.output)
		}
	}
	t.Fatal("redistest: no free port was found")
	return nil
}

func after(options []string, name string) string {
	for i := range len(options) - 1 {
		if options[i] == name {
			return options[i+1]
		}
	}
	return ""
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

// launch starts the process and waits until it answers.
func (s *Server) launch() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.output = &log{}
	s.process = exec.Command(s.program, s.args...)
	s.process.Stdout, s.process.Stderr = s.output, s.output
	if err := s.process.Start(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	s.watch()
	return Eventually(func() bool { return s.answers() || s.output.contains("already in use", "FATAL CONFIG") }) &&
		s.answers()
}

// watch lets the server die with the process of the test, however that ends: a shell waits for the end of a pipe that
// only this process holds.
func (s *Server) watch() {
	s.watcher = exec.Command("sh", "-c", `read -r _; kill -9 "$0"`, strconv.Itoa(s.process.Process.Pid))
	if _, err := s.watcher.StdinPipe(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
	if err := s.watcher.Start(); err != nil {
		s.t.Fatalf("redistest: %v", err)
	}
}

// answers tells whether the server serves: it does also when it says that it wants a password.
func (s *Server) answers() bool {
	conn, err := net.DialTimeout("tcp", s.Addr, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // if it fails, so does the next line
	if _, err = io.WriteString(conn, "PING\r\n"); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && (strings.HasPrefix(line, "+PONG") || strings.HasPrefix(line, "-NOAUTH"))
}

// Stop kills the server, as kill -9 does. Its memory is lost.
func (s *Server) Stop() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.process == nil {
		return
	}
	_ = s.watcher.Process.Kill() // first: its number must not be of another process when it acts
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
		s.t.Fatalf("redistest: %s does not start again: %s", s.program, s.output)
	}
}

// Pause lets the server hang: its connections stay, and nothing is answered.
func (s *Server) Pause() { s.signal(syscall.SIGSTOP) }

// Resume lets the server go on after Pause; it then answers what it was asked meanwhile.
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

// Command has redis-cli run a command, and returns what it prints.
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
	command := exec.Command(
		find(s.t, "redis-cli", "valkey-cli"),
		append([]string{"-h", "127.0.0.1", "-p", port}, args...)...)
	if s.password != "" {
		command.Env = append(command.Environ(), "REDISCLI_AUTH="+s.password)
	}
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// Calls tells how often the server ran each command since its start or the last ForgetCalls, by its name in small
// letters. What a script runs counts too.
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

// ForgetCalls lets Calls begin at nothing.
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

// log is what a process prints.
type log struct {
	mutex  sync.Mutex
	buffer bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.Write(p)
}

func (l *log) String() string {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.buffer.String()
}

func (l *log) contains(words ...string) bool {
	text := l.String()
	for _, word := range words {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}
