package storagetest

import (
	"bytes"
	"context"
	"time"

	"github.com/hush-idp/hush/storage"
)

// Holding returns an engine that holds value under every key, whatever is written: what a damaged engine might answer.
func Holding(value []byte) storage.Store { return holding(value) }

type holding []byte

// Get implements storage.Store.
func (h holding) Get(context.Context, string) ([]byte, error) { return bytes.Clone(h), nil }

// Put implements storage.Store.
func (holding) Put(context.Context, string, []byte, time.Duration) error { return nil }

// Update implements storage.Store.
func (h holding) Update(_ context.Context, _ string, _ time.Duration, change func([]byte) ([]byte, error)) error {
	_, err := change(bytes.Clone(h))
	return err
}
