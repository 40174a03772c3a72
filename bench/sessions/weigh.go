package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"runtime/debug"
	"strings"
	"time"
)

// weight is what something takes, in bytes.
type weight struct {
	process int64 // memory of this process that is its own, without the pages of files, which the system may drop
	file    int64 // on the disk
	server  int64 // memory of the Redis server, by its own account
}

// weigh weighs this process and the store that name says.
func weigh(name string) (w weight, err error) {
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

func (w weight) less(before weight) weight {
	return weight{w.process - before.process, w.file - before.file, w.server - before.server}
}

func (w weight) print(out io.Writer, sessions int) {
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

// ownMemory is the memory of process pid that no file stands behind.
func ownMemory(pid int) (int64, error) {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("only Linux tells how much memory a process has: %w", err)
	}
	defer file.Close()
	return number(file, "RssAnon:", 1<<10)
}

// serverMemory asks the Redis server at address, HOST:PORT without a password, what it uses.
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

// number is the one that stands behind name at the beginning of a line, times unit.
func number(from io.Reader, name string, unit int64) (n int64, err error) {
	for lines := bufio.NewScanner(from); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), name); found {
			_, err = fmt.Sscan(value, &n)
			return n * unit, err
		}
	}
	return 0, fmt.Errorf("no line with %q was found", name)
}
