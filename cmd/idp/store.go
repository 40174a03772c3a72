package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
)

// engine is where the provider's state lives.
type engine struct {
	storage.Store
	ping        func(context.Context) error // why it cannot be used now; nil: it can
	close       func() error
	durable     bool          // it outlives the process
	propagation time.Duration // until other processes on it notice something; 0: there are none
}

// storeForms are what --store may be.
const storeForms = "memory, file:PATH, redis://HOST:PORT or rediss://HOST:PORT"

// openStore opens the engine that --store names. Its error says what to do.
func openStore(ctx context.Context, name string) (engine, error) {
	path, isFile := strings.CutPrefix(name, "file:")
	switch {
	case name == "memory":
		return engine{Store: storage.NewMemory(time.Now), ping: alwaysUsable, close: func() error { return nil }}, nil
	case isFile:
		s, err := bolt.Open(path, time.Now)
		if err != nil {
			return engine{}, err
		}
		return engine{Store: s, ping: s.Ping, close: s.Close, durable: true}, nil
	case isRedis(name):
		s, err := redis.Open(ctx, name)
		if err != nil {
			return engine{}, err
		}
		return engine{Store: s, ping: s.Ping, close: s.Close, durable: true, propagation: keys.DefaultPropagation}, nil
	}
	return engine{}, errors.New(notAStore(name)) // which the settings were asked before
}

func alwaysUsable(context.Context) error { return nil }

// isRedis tells whether name is an address of Redis or Valkey: one server, a Sentinel's master, or a Cluster.
func isRedis(name string) bool {
	scheme, _, _ := strings.Cut(name, "://")
	kind, _, _ := strings.Cut(scheme, "+")
	return strings.Contains(name, "://") && (kind == "redis" || kind == "rediss")
}

// notAStore says why name is no store, without repeating what may be a password in it; "" for one that may be.
func notAStore(name string) string {
	path, isFile := strings.CutPrefix(name, "file:")
	switch {
	case name == "memory", isFile && path != "", isRedis(name):
		return ""
	}
	scheme, _, _ := strings.Cut(name, ":")
	return fmt.Sprintf("%.20q is no store that is known: write %s (docs/operations.md)", scheme, storeForms)
}

// keptSecret is the cookie key of a provider with a file and no cookie_keys: made once, kept beside the file, readable by its
// owner only. Without it a restart would keep the sessions and lose the key to their cookies.
func keptSecret(path string) (string, error) {
	path += ".secret"
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readSecret(path)
	}
	if err != nil {
		return "", fmt.Errorf("no cookie_keys are configured, and a secret cannot be kept beside the store: %w", err)
	}
	defer file.Close()
	secret := rand.Text() + rand.Text()
	if _, err := file.WriteString(secret + "\n"); err != nil {
		return "", err
	}
	return secret, file.Sync()
}

func readSecret(path string) (string, error) {
	text, err := os.ReadFile(path)
	secret := strings.TrimSpace(string(text))
	if err == nil && len(secret) < 32 {
		return "", fmt.Errorf("%s holds no secret of 32 characters or more: remove it, and everybody signs in again", path)
	}
	return secret, err
}
