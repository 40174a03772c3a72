package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

const (
	// secret is for the keys of a store that has none yet.
	secret = "a-secret-of-this-measurement-of-32-characters-or-more"
	// patience is how long a provider may take to be ready.
	patience = 5 * time.Minute
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	address, err := freeAddress()
	if err != nil {
		return 0, 0, err
	}
	provider := exec.CommandContext(ctx, o.idp, "--listen", address, "--store", o.store, "--dev=false", "--cookie-keys", secret, "--log-level", "error")
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
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return errors.New("the provider was not ready in time")
		case <-tick.C:
		}
		response, err := http.Get(url)
		if err != nil {
			continue // it does not listen yet
		}
		_ = response.Body.Close()
		if response.StatusCode == http.StatusOK {
			tick.Stop()
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
