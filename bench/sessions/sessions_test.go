package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/bench/process"
	"github.com/hush-idp/hush/bench/renewal"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/storage"
)

func TestTheReportOfAFileStore(t *testing.T) {
	var report strings.Builder
	if err := run(t.Context(), []string{"--store", "file:" + filepath.Join(t.TempDir(), "hush.db"), "--sessions", "1000"},
		&report); err != nil {
		t.Fatal(err)
	}
	for _, expected := range []string{"sessions  1000, written in ", "file      ", "bytes a session"} {
		if !strings.Contains(report.String(), expected) {
			t.Errorf("the report has no %q:\n%s", expected, &report)
		}
	}
}

func TestAUserRenewsAtAProviderThatBeginsWithSessions(t *testing.T) {
	address, err := process.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended, profile := make(chan error, 1), filepath.Join(t.TempDir(), "profile")
	go func() {
		ended <- run(ctx, []string{"--sessions", "10", "--listen", address, "--profile", profile}, new(strings.Builder))
	}()
	renewOnce(t, "http://"+address)
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the provider ended with %v", err)
	}
	if written, err := os.Stat(profile); err != nil || written.Size() == 0 {
		t.Errorf("the profile was not written: %v", err)
	}
}

func renewOnce(t *testing.T, issuer string) {
	t.Helper()
	options := renewal.Options{Issuer: issuer, ClientID: "spa", RedirectURI: "http://localhost:9090/spa/callback.html",
		Scopes: []string{"openid"}, AccessJWT: true, AuthTime: true}
	client, err := renewal.New(t.Context(), options)
	for range 500 { // until it listens
		if err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
		client, err = renewal.New(t.Context(), options)
	}
	if err != nil {
		t.Fatal(err)
	}
	alice := client.User("alice", "alice")
	if err := alice.SignIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := alice.Renew(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestEachSessionHasItsOwnRecords(t *testing.T) {
	store := storage.NewMemory(time.Now)
	if err := fill(t.Context(), store, 1000); err != nil || store.Len() != 2000 {
		t.Errorf("%d records are stored (%v); want 1000 sessions and as many lists", store.Len(), err)
	}
	bucket, s := storage.NewBucket[session.Session]("session", store), signedIn(1)
	if err := bucket.Put(t.Context(), s.ID, s, retention); err != nil {
		t.Fatal(err)
	}
	if found, err := bucket.Get(t.Context(), s.ID); err != nil || len(found.Subs()) != 1 {
		t.Errorf("the session reads as %v (%v); want one with one account", found, err)
	}
}

func TestBadArguments(t *testing.T) {
	for _, row := range []struct{ name, flag, value, says string }{
		{"no sessions", "--sessions", "0", "1 or more"},
		{"a server that is not there", "--store", "redis://127.0.0.1:1", "127.0.0.1:1"},
		{"a folder that is not there", "--store", "file:/nowhere/at/all/hush.db", "there is no directory"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := run(t.Context(), []string{row.flag, row.value}, new(strings.Builder)); err == nil ||
				!strings.Contains(err.Error(), row.says) {
				t.Errorf("it says %v; want %q", err, row.says)
			}
		})
	}
}
