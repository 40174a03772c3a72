package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
)

// engine is the store of a provider, and what this program must know about it.
type engine struct {
	storage.Store
	ping        func(context.Context) error // an error says why the store cannot be used now
	close       func() error                // everything that was acknowledged is stored before
	durable     bool                        // the store outlives the process
	propagation time.Duration               // until other processes on the store notice a change; 0: there are none
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
	return engine{}, errors.New(notAStore(name)) // problems has checked it
}

func alwaysUsable(context.Context) error { return nil }

// isRedis tells whether name is an address of Redis or Valkey: one server, a Sentinel's master, or a Cluster.
func isRedis(name string) bool {
	scheme, _, _ := strings.Cut(name, "://")
	kind, _, _ := strings.Cut(scheme, "+")
	return strings.Contains(name, "://") && (kind == "redis" || kind == "rediss")
}

// notAStore returns why name is no store, without a password that may stand in it; "" for a good name.
func notAStore(name string) string {
	path, isFile := strings.CutPrefix(name, "file:")
	switch {
	case name == "memory", isFile && path != "", isRedis(name):
		return ""
	}
	scheme, _, _ := strings.Cut(name, ":")
	return fmt.Sprintf("%.20q is no known store: write %s (docs/operations.md)", scheme, storeForms)
}

// storedSecret returns the cookie key of a provider with a file and without cookie_keys. It is made once, in a file
// beside the store that only its owner can read. Without it a restart would keep the sessions and lose the key to their
// cookies.
func storedSecret(path string) (string, error) {
	path += ".secret"
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return readSecret(path)
	}
	if err != nil {
		return "", fmt.Errorf("no cookie_keys are configured, and a secret cannot be written beside the store: %w", err)
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

// openExisting opens the store of a provider, for a command that runs beside the provider or in its absence. It makes
// no store. The caller closes it.
func (s *settings) openExisting(ctx context.Context) (engine, error) {
	if s.Store == "memory" {
		return engine{}, errors.New("store: memory is inside the provider's process, and no command can see it: " +
			"give the provider and this command the same --store file:PATH or redis://HOST:PORT, " +
			"or use the provider's console (" + s.Issuer + "/console) in development mode")
	}
	if err := s.findSecret(); err != nil {
		return engine{}, err
	}
	return openStore(ctx, s.Store)
}

// findSecret checks that the provider's file is there, and reads the secret beside it if no cookie_keys are configured.
func (s *settings) findSecret() error {
	path, isFile := strings.CutPrefix(s.Store, "file:")
	if !isFile {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: there is no file %s: name the one that the provider is started with, "+
			"or start the provider once, which makes it", path)
	}
	if len(s.CookieKeys) > 0 {
		return nil
	}
	secret, err := readSecret(path + ".secret")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cookie_keys are missing, and there is no %s.secret: "+
			"give this command the cookie_keys of the provider", path)
	}
	s.CookieKeys = []string{secret}
	return err
}

// storedKeys are the signing keys that the provider has in the store.
func (s *settings) storedKeys(store engine) (*keys.KeySet, error) {
	return idp.StoredKeys(s.Config, store, time.Now, store.propagation)
}

// printTable writes rows of cells in columns to stdout.
func printTable(rows ...[]string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // an error means that stdout is closed
}

// moment writes a time for a person; "-" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
