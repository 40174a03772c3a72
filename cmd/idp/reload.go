package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hush-idp/hush/idp"
)

// reloaded are the keys of the file whose changes apply while the provider runs.
var reloaded = []string{"users", "clients", "scopes", "limits"}

// lookEvery is how often the provider looks at the file. A changed file is read when it has not changed for so long,
// because an editor may write it in several steps. The provider does not wait for a message of the system: mounted
// volumes send none, and editors and Kubernetes replace the file by another one.
const lookEvery = 500 * time.Millisecond

// watcher applies changes of the configuration file.
type watcher struct {
	running settings // what the provider runs with
	reload  func(idp.Config) error
	log     *slog.Logger

	text []byte // of the file, as it was read last
	seen []byte // as it was seen last
}

// watchFile looks at the file every so often, and applies its changes, until ctx ends. On SIGHUP the file is read at
// once, whether it changed or not: then files that it names are read again too. Without a file, SIGHUP changes nothing.
func (s *settings) watchFile(
	ctx context.Context, every time.Duration, reload func(idp.Config) error, log *slog.Logger,
) {
	w := &watcher{running: *s, reload: reload, log: log}
	if isFile(s.source.name) {
		w.text, _ = os.ReadFile(s.source.name)
		w.seen = w.text
	}
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGHUP)
	go func() {
		defer signal.Stop(asked)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		if w.text == nil { // the configuration was no file at the start
			ticker.Stop()
		}
		for {
			select {
			case <-ctx.Done():
				return
			case <-asked:
				w.read()
			case <-ticker.C:
				w.look()
			}
		}
	}()
}

func isFile(name string) bool {
	info, err := os.Stat(name)
	return err == nil && info.Mode().IsRegular()
}

// look reads the file if it has changed and is complete: two looks see the same text. An empty file is being written.
func (w *watcher) look() {
	if !isFile(w.running.source.name) {
		return
	}
	text, err := os.ReadFile(w.running.source.name)
	if err != nil || len(bytes.TrimSpace(text)) == 0 {
		return
	}
	isStable := bytes.Equal(text, w.seen)
	w.seen = text
	if isStable && !bytes.Equal(text, w.text) {
		w.read()
	}
}

// read applies the file, and reports the result to the log.
func (w *watcher) read() {
	if !isFile(w.running.source.name) {
		w.log.Warn("there is no configuration file to read", "file", w.running.source.name)
		return
	}
	w.text, _ = os.ReadFile(w.running.source.name)
	w.seen = w.text
	next, err := w.running.again()
	if err == nil {
		w.reportRestart(next)
		err = w.apply(next)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			w.log.Error("the configuration file has a mistake, and nothing was changed", "problem", strings.TrimSpace(line))
		}
		return
	}
	w.log.Info("the configuration file was read again", "users", len(next.given.Users), "clients",
		len(next.given.Clients), "scopes", len(next.given.Scopes))
}

// apply gives the settings without defaults to the provider, which has the defaults of the settings that it runs with.
func (w *watcher) apply(next settings) error {
	err := w.reload(next.given.Config)
	if problems, ok := errors.AsType[idp.Problems](err); ok {
		return next.source.locate(problems, next.flags)
	}
	return err
}

// reportRestart names each changed setting that does not apply now, with its line. It does so also before a report of a
// mistake: a client may fit the changed settings only.
func (w *watcher) reportRestart(next settings) {
	for _, key := range changed(*w.running.given, *next.given) {
		w.log.Warn("a setting of the configuration file changed, and needs a restart",
			"setting", next.source.place(key, next.flags)+key)
	}
}

// again reads the settings as the provider read them at its start.
func (s *settings) again() (settings, error) {
	next, err := s.flags.settings()
	if err != nil || !next.hasFreePort() {
		return next, err
	}
	return next.at(s.Listen)
}

// changed returns the keys of the settings that differ and that do not apply without a restart.
func changed(a, b settings) (keys []string) {
	from, to := reflect.ValueOf(a), reflect.ValueOf(b)
	for _, field := range fieldsOf(from.Type()) {
		key := keyOf(field)
		if !slices.Contains(reloaded, key) &&
			!reflect.DeepEqual(from.FieldByIndex(field.Index).Interface(), to.FieldByIndex(field.Index).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}
