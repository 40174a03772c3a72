package storage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

func TestWithinKeepsTheContract(t *testing.T) {
	storagetest.Run(t, func(*testing.T) storagetest.Engine {
		c := storagetest.NewClock()
		return storagetest.Engine{Store: storage.Within(time.Minute, storage.NewMemory(c.Now)), Pass: c.Pass}
	})
}

// stuck is an engine that answers nobody.
type stuck struct{ storage.Store }

func (stuck) Get(ctx context.Context, _ string) ([]byte, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnEngineThatIsStuckIsUnavailable(t *testing.T) {
	_, err := storage.Within(time.Millisecond, stuck{}).Get(t.Context(), "k")
	if !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want ErrUnavailable", err)
	}
}

func TestWhoGivesUpIsToldSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := storage.Within(time.Minute, stuck{}).Get(ctx, "k")
	if !errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want context.Canceled alone", err)
	}
}
