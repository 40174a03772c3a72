package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/bolt"
	"github.com/hush-idp/hush/storage/redis"
)

// engine is the store of a provider, with its properties.
type engine struct {
	storage.Store
	ping        func(context.Context) error // an error says why the store cannot be used now
	close       func() error                // it first stores all acknowledged writes
	durable     bool                        // the store outlives the process
	propagation time.Duration               // until other processes on the store notice a change; 0: there are none
}

// openStore opens the store of valid settings. Its error says what to do.
func (s *settings) openStore(ctx context.Context) (engine, error) {
	if s.Store == "memory" {
		return engine{Store: storage.NewMemory(time.Now), ping: func(context.Context) error { return nil },
			close: func() error { return nil }}, nil
	}
	if path := s.StoreFile(); path != "" {
		file, err := bolt.Open(path, time.Now)
		if err != nil {
			return engine{}, err
		}
		return engine{Store: file, ping: file.Ping, close: file.Close, durable: true}, nil
	}
	server, err := redis.Open(ctx, s.Store)
	if err != nil {
		return engine{}, err
	}
	return engine{Store: server, ping: server.Ping, close: server.Close, durable: true,
		propagation: keys.DefaultPropagation}, nil
}

// storeFault is the fault of the store's address that is found without the store; nil for none.
func (s *settings) storeFault() error {
	switch {
	case s.Store == "memory", s.StoreFile() != "":
		return nil
	case s.isRedis():
		return redis.Check(s.Store)
	}
	advice := "write memory, file:PATH, redis://HOST:PORT or rediss://HOST:PORT (docs/operations.md)"
	if barePath.MatchString(s.Store) {
		advice = "did you mean file:" + s.Store + "? Or " + advice
	}
	return fmt.Errorf("%q is no known store: %s", s.storeWithoutCredentials(), advice)
}

// barePath matches what can only be the path of a file: it has a slash or a dot, and neither a scheme (the letter of a
// Windows drive is none) nor an @, before which a password may stand.
var barePath = regexp.MustCompile(`^([A-Za-z]:)?[^:@]*[/\\.][^:@]*$`)

// storeWithoutCredentials is the address of a store that is not known, without anything that may be a password: the
// scheme of a URL, and only what follows the @ of another text.
func (s *settings) storeWithoutCredentials() string {
	if scheme, _, isURL := strings.Cut(s.Store, "://"); isURL {
		return scheme
	}
	if at := strings.LastIndexByte(s.Store, '@'); at >= 0 {
		return "[hidden]" + s.Store[at:]
	}
	return s.Store
}

// StoreFile is the path of a store in a file; empty for others.
func (s *settings) StoreFile() string {
	path, isFile := strings.CutPrefix(s.Store, "file:")
	if !isFile {
		return ""
	}
	return path
}

// isRedis tells whether the store is a Redis or Valkey: one server, the master of a Sentinel, or a Cluster.
func (s *settings) isRedis() bool {
	scheme, _, isURL := strings.Cut(s.Store, "://")
	kind, _, _ := strings.Cut(scheme, "+")
	return isURL && (kind == "redis" || kind == "rediss")
}

// makeSecret sets the cookie key of a provider with a file and without cookie_keys. The key is made once, in a file
// beside the store that only its owner can read: after a restart the cookies of the stored sessions stay valid.
func (s *settings) makeSecret() error {
	if s.StoreFile() == "" || len(s.CookieKeys) > 0 {
		return nil
	}
	file, err := os.OpenFile(s.StoreFile()+".secret", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return s.readSecret()
	}
	if err != nil {
		return fmt.Errorf("no cookie_keys are configured, and a secret cannot be written beside the store: %w", err)
	}
	defer file.Close()
	s.CookieKeys = []string{rand.Text() + rand.Text()}
	if _, err := file.WriteString(s.CookieKeys[0] + "\n"); err != nil {
		return err
	}
	return file.Sync()
}

// readSecret sets the cookie key from the file that makeSecret has written.
func (s *settings) readSecret() error {
	path := s.StoreFile() + ".secret"
	text, err := os.ReadFile(path)
	s.CookieKeys = []string{strings.TrimSpace(string(text))}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cookie_keys are missing, and there is no %s: "+
			"give this command the cookie_keys of the provider", path)
	case err == nil && len(s.CookieKeys[0]) < 32:
		return fmt.Errorf("%s holds %d characters, and the secret that the provider wrote there has more than 32: "+
			"restore it from a backup, because it opens the signing keys in the store", path, len(s.CookieKeys[0]))
	}
	return err
}

// findSecret checks that the provider's file is there, and reads the secret beside it if no cookie_keys are configured.
func (s *settings) findSecret() error {
	path := s.StoreFile()
	if path == "" {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: there is no file %s: name the one that the provider is started with, "+
			"or start the provider once, which makes it", path)
	}
	if len(s.CookieKeys) > 0 {
		return nil
	}
	return s.readSecret()
}

// withStore calls do with the store of a provider, which runs or ran before. It creates no store.
func (s *settings) withStore(do func(context.Context, engine) error) error {
	if s.Store == "memory" {
		return errors.New("store: memory is inside the provider's process, and no command can see it: " +
			"give the provider and this command the same --store file:PATH or redis://HOST:PORT, " +
			"or use the provider's console (" + s.Issuer + "/console) in development mode")
	}
	if err := s.findSecret(); err != nil {
		return err
	}
	ctx := context.Background()
	store, err := s.openStore(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = store.close() }()
	return do(ctx, store)
}

// printTable writes rows of cells in columns to stdout.
func printTable(rows ...[]string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// moment writes a time for a person; "-" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
