package main

import (
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/hush-idp/hush/bench/process"
)

// stores are a provider on each store, and two providers at the same time. Redis is left out if it is not installed.
// The caller must call end, also after an error.
func stores(folder string) (all []*subject, end func(), err error) {
	pair := withStore("memory, two providers", "memory", folder)
	pair.processes = 2
	all = []*subject{
		withStore("memory", "memory", folder), withStore("file:", "file:"+filepath.Join(folder, "hush.db"), folder), pair,
	}
	server, err := startRedis(folder)
	if err == nil && server.pid != 0 {
		one, two := withStore("Redis", server.url, folder), withStore("Redis, two providers", server.url, folder)
		one.store, two.store, two.processes = server.pid, server.pid, 2
		all = append(all, one, two)
	}
	return all, server.end, err
}

// withStore is a provider on a store.
func withStore(name, address, folder string) *subject {
	p := newHush(name, "JWT", folder, "--store", address, "--cookie-keys", strings.Repeat("k", 64))
	return &subject{provider: p, algorithm: es256}
}

// redisText tells the processor time of the Redis server, and the rate of two providers on it. Empty without Redis.
func redisText(stores []*subject) string {
	one, two := stores[len(stores)-2], stores[len(stores)-1]
	if one.store == 0 {
		return ""
	}
	alone, together := mean(one.rounds, ofProvider), mean(two.rounds, ofProvider)
	return fmt.Sprintf("\nThe server of Redis takes %.2f of the first line's processor time itself, and %.2f with two "+
		"providers. With processors of their own, two providers on it do %.1f times the renewals of one.\n",
		mean(one.rounds, ofStore)/mean(stores[0].rounds, ofProvider),
		mean(two.rounds, ofStore)/mean(stores[0].rounds, ofProvider), 2*alone/together)
}

// redisServer is a Redis server that this program started. It writes nothing to the disk.
type redisServer struct {
	url string
	pid int // 0: redis-server is not installed
	end func()
}

// startRedis starts a server in the folder and waits until it accepts connections.
func startRedis(folder string) (redisServer, error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return redisServer{end: func() {}}, nil
	}
	address, err := process.FreeAddress()
	if err != nil {
		return redisServer{}, err
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return redisServer{}, err
	}
	command := exec.Command(program, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", folder)
	if err := command.Start(); err != nil {
		return redisServer{}, err
	}
	server := redisServer{url: "redis://" + address, pid: command.Process.Pid, end: func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait() // it reports the signal
	}}
	for range 100 {
		if connection, err := net.Dial("tcp", address); err == nil {
			return server, connection.Close()
		}
		time.Sleep(50 * time.Millisecond)
	}
	server.end()
	return redisServer{}, errors.New("redis-server accepts no connection; start it by hand to see why")
}
