package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// usage is memory and disk space, in bytes.
type usage struct {
	process int64 // anonymous memory of this process, without pages of files
	file    int64 // on the disk
	server  int64 // memory of the Redis server, as it reports it
}

// measure measures this process and the store called name.
func measure(name string) (w usage, err error) {
	debug.FreeOSMemory()
	if w.process, err = ownMemory(os.Getpid()); err != nil {
		return w, err
	}
	if path, isFile := strings.CutPrefix(name, "file:"); isFile {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return w, nil
		}
		if err == nil {
			w.file = info.Size()
		}
		return w, err
	}
	if address, isRedis := strings.CutPrefix(name, "redis://"); isRedis {
		w.server, err = serverMemory(address)
	}
	return w, err
}

func (w usage) less(before usage) usage {
	return usage{w.process - before.process, w.file - before.file, w.server - before.server}
}

func (w usage) print(out io.Writer, sessions int) {
	for _, line := range []struct {
		name  string
		bytes int64
	}{{"process", w.process}, {"file", w.file}, {"server", w.server}} {
		if line.bytes != 0 {
			fmt.Fprintf(out, "%-9s %.0f MiB: %d bytes a session\n", line.name, mebibytes(line.bytes), line.bytes/int64(sessions))
		}
	}
}

func mebibytes(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// ownMemory is the anonymous memory of process pid.
func ownMemory(pid int) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("only Linux tells how much memory a process has: %w", err)
	}
	defer file.Close()
	return number(file, "RssAnon:", 1<<10)
}

// serverMemory is the used memory of the Redis server at address, HOST:PORT without a password.
func serverMemory(address string) (int64, error) {
	connection, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return 0, fmt.Errorf("the server's memory is asked for at redis://HOST:PORT only: %w", err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return 0, err
	}
	if _, err := io.WriteString(connection, "INFO memory\r\n"); err != nil {
		return 0, err
	}
	return number(connection, "used_memory:", 1)
}

// number finds the line that begins with name and returns its number times unit.
func number(from io.Reader, name string, unit int64) (n int64, err error) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			_, err = fmt.Sscan(value, &n)
			return n * unit, err
		}
	}
	return 0, fmt.Errorf("no line with %q was found", name)
}

const (
	secret       = "a-secret-of-this-measurement-of-32-characters-or-more" // encrypts the keys of a new store
	startTimeout = 5 * time.Minute                                         // until a provider is ready
)

// start starts a provider on the store twice and reports the second time: the first may make the signing keys.
func start(ctx context.Context, o options, out io.Writer) error {
	if _, _, err := startOnce(ctx, o); err != nil {
		return err
	}
	took, memory, err := startOnce(ctx, o)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "start     ready after %s, with %.0f MiB\n", took.Round(time.Millisecond), mebibytes(memory))
	return err
}

// startOnce is the time from the provider's start until it is ready, and its own memory then.
func startOnce(ctx context.Context, o options) (took time.Duration, memory int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	address, err := freeAddress()
	if err != nil {
		return 0, 0, err
	}
	provider := exec.CommandContext(ctx, o.idp, "--listen", address, "--store", o.store, "--dev=false", "--cookie-keys",
		secret, "--log-level", "error")
	provider.Stderr = os.Stderr
	provider.Cancel = func() error { return provider.Process.Signal(syscall.SIGTERM) }
	began := time.Now()
	if err := provider.Start(); err != nil {
		return 0, 0, err
	}
	defer func() {
		cancel()
		_ = provider.Wait() // ended by the signal
	}()
	if err := ready(ctx, "http://"+address+"/readyz"); err != nil {
		return 0, 0, err
	}
	took = time.Since(began)
	memory, err = ownMemory(provider.Process.Pid)
	return took, memory, err
}

// ready waits until url answers 200.
func ready(ctx context.Context, url string) error {
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.New("the provider was not ready in time")
		case <-tick.C:
		}
		response, err := http.Get(url)
		if err != nil {
			continue // it does not listen yet
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
