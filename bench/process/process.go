// Package process starts servers and measures them, on Linux.
package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time of process pid so far, in user and system mode: what utime and stime of /proc/PID/stat are
// together, and not rounded to the hundredth of a second, in which a provider may renew a hundred times.
func CPU(pid int) (time.Duration, error) {
	const scheduler = 2 // the clock of clock_getcpuclockid(3)
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &now); err != nil {
		return 0, fmt.Errorf("the processor time of process %d is not known; does it run? %w", pid, err)
	}
	return time.Duration(now.Nano()), nil
}

// Memory is a field of /proc/PID/status in bytes, such as VmRSS, the memory that is resident now, VmHWM, the most that
// was resident, or RssAnon, the part that no file stands behind.
func Memory(pid int, field string) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("memory is read from /proc of Linux; does the process %d run? %w", pid, err)
	}
	defer file.Close()
	return Number(file, field+":", 1<<10)
}

// Number finds the line that begins with name and returns its number times unit.
func Number(from io.Reader, name string, unit int64) (n int64, err error) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			_, err = fmt.Sscan(value, &n)
			return n * unit, err
		}
	}
	return 0, fmt.Errorf("no line with %q was found", name)
}

// Process is a server that was started.
type Process struct {
	PID   int
	Ready time.Duration // from its start until it answered

	end  func()
	done chan struct{} // closed when it has ended
}

// startTimeout is the longest time until a server is ready: some make a million records before.
const startTimeout = 5 * time.Minute

// Start starts command and waits until url answers 200. The server ends when ctx does, or by End.
func Start(ctx context.Context, url string, command *exec.Cmd) (*Process, error) {
	began := time.Now()
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &Process{PID: command.Process.Pid, done: make(chan struct{})}
	go func() { _ = command.Wait(); close(p.done) }() // a server that is ended reports the signal
	stop := context.AfterFunc(ctx, func() { _ = command.Process.Signal(syscall.SIGTERM) })
	p.end = func() { stop(); _ = command.Process.Signal(syscall.SIGTERM); <-p.done }
	if err := p.answers(ctx, url); err != nil {
		p.End()
		return nil, fmt.Errorf("%s: %w", command.Path, err)
	}
	p.Ready = time.Since(began)
	return p, nil
}

// End ends the server by SIGTERM and waits for it.
func (p *Process) End() { p.end() }

func (p *Process) answers(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	interval := time.NewTicker(time.Millisecond)
	defer interval.Stop()
	for {
		select {
		case <-ctx.Done():
			return errors.New("the server was not ready in time")
		case <-p.done:
			return errors.New("the server ended before it was ready")
		case <-interval.C:
		}
		response, err := client.Get(url)
		if err != nil {
			continue // it does not listen yet
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			return nil
		}
	}
}

// FreeAddress is an address of this machine on which nothing listens.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
