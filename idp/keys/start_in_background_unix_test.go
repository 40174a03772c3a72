//go:build unix

package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/keys"
)

// TestNewDoesNotWaitForAKey has a key that comes only after New has returned: its file is a pipe that nobody has
// written to.
func TestNewDoesNotWaitForAKey(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "key.pem")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	set := mustNew(t, keys.Spec{Alg: jose.ES256, File: pipe}) // waiting here for the key would be waiting for ever
	if err := os.WriteFile(pipe, pkcs8(t, private), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := set.Ready(t.Context()); err != nil {
		t.Fatalf("Ready() = %v", err)
	}
	if !private.PublicKey.Equal(mustPublic(t, set).Keys[0].Key) {
		t.Error("the key that came later is not the set's")
	}
}
