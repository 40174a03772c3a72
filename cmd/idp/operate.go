package main

import (
	"context"
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
)

// shared is the store of a provider, opened beside it or in its absence.
type shared struct {
	storage.Store
	engine engine
}

// close gives the file back to the provider. Whatever was written is in it already.
func (s shared) close() { _ = s.engine.close() }

// openShared opens the store that the settings name, for a command that works on what a provider left there. It makes none.
func (s *settings) openShared(ctx context.Context) (shared, error) {
	if s.Store == "memory" {
		return shared{}, errors.New("store: memory is inside the provider's process, and no command can see it: give the provider and this command " +
			"the same --store file:PATH or redis://HOST:PORT, or use the provider's console (" + s.Issuer + "/console) in development mode")
	}
	if err := s.takeUp(); err != nil {
		return shared{}, err
	}
	opened, err := openStore(ctx, s.Store)
	return shared{opened, opened}, err
}

// takeUp finds the file of a provider, and the secret beside it where none is configured.
func (s *settings) takeUp() error {
	path, isFile := strings.CutPrefix(s.Store, "file:")
	if !isFile {
		return nil
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: there is no file %s: name the one that the provider is started with, or start the provider once, which makes it", path)
	}
	if len(s.CookieKeys) > 0 {
		return nil
	}
	secret, err := readSecret(path + ".secret")
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("cookie_keys are missing, and there is no %s.secret: give this command the cookie_keys of the provider", path)
	}
	s.CookieKeys = []string{secret}
	return err
}

// ring are the signing keys as the provider has them on this store.
func (s *settings) ring(store shared) (*keys.Ring, error) {
	return idp.StoredKeys(s.Config, store, time.Now, store.engine.propagation)
}

// printTable writes rows of cells in columns to stdout.
func printTable(rows ...[]string) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	_ = w.Flush() // who closed stdout does not want to read it
}

// moment is a time as a person compares it; "-" for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}
