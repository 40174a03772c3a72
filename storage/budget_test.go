package storage_test

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hush-idp/hush/storage"
)

// slow is an engine that takes some time for each read.
type slow struct {
	storage.Store
	takes time.Duration
}

func (s slow) Get(ctx context.Context, key string) ([]byte, error) {
	limited, end := storage.Spend(ctx)
	defer end()
	select {
	case <-time.After(s.takes):
		return s.Store.Get(ctx, key)
	case <-limited.Done():
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("%w: too slow", storage.ErrUnavailable)
}

// inBudget runs a test with an engine that takes so long for each read, on a clock of its own.
func inBudget(t *testing.T, takes time.Duration, test func(t *testing.T, engine storage.Store)) {
	synctest.Test(t, func(t *testing.T) { test(t, slow{storage.NewMemory(time.Now), takes}) })
}

func TestAnOperationOutsideOfARequestTakesTheBudgetAtMost(t *testing.T) {
	inBudget(t, time.Hour, func(t *testing.T, engine storage.Store) {
		for range 2 {
			begin := time.Now()
			if _, err := engine.Get(t.Context(), "k"); !errors.Is(err, storage.ErrUnavailable) {
				t.Errorf("Get = %v; want ErrUnavailable", err)
			}
			if took := time.Since(begin); took != storage.Budget {
				t.Errorf("it took %v; want the budget", took)
			}
		}
	})
}

func TestTheOperationsOfARequestShareItsBudget(t *testing.T) {
	inBudget(t, storage.Budget/4, func(t *testing.T, engine storage.Store) {
		ctx, begin := storage.WithBudget(t.Context()), time.Now()
		var err error
		for n := 0; n < 10 && !errors.Is(err, storage.ErrUnavailable); n++ {
			_, err = engine.Get(ctx, "k")
		}
		if took := time.Since(begin); !errors.Is(err, storage.ErrUnavailable) || took != storage.Budget {
			t.Errorf("ten slow operations ended after %v with %v; want ErrUnavailable after the budget", took, err)
		}
	})
}

func TestOperationsAtTheSameTimeCountOnce(t *testing.T) {
	inBudget(t, storage.Budget/10, func(t *testing.T, engine storage.Store) {
		bucket, ctx := storage.NewBucket[string]("b", engine), storage.WithBudget(t.Context())
		if err := bucket.Put(ctx, "7", "there", time.Hour); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for i := range 40 { // twice the budget, one after the other
			keys = append(keys, strconv.Itoa(i))
		}
		records, err := bucket.GetAll(ctx, keys)
		if err != nil || len(records) != 40 || records[0] != nil || records[7] == nil || *records[7] != "there" {
			t.Errorf("GetAll = %v, %v; want only the record of 7, in its place", records, err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := bucket.GetAll(cancelled, keys); !errors.Is(err, context.Canceled) {
			t.Errorf("GetAll = %v; want context.Canceled", err)
		}
	})
}

func TestTheBudgetCountsOperationsOnly(t *testing.T) {
	inBudget(t, time.Millisecond, func(t *testing.T, engine storage.Store) {
		ctx := storage.WithBudget(t.Context())
		for range 3 {
			if _, err := engine.Get(ctx, "k"); !errors.Is(err, storage.ErrNotFound) {
				t.Fatalf("Get = %v; want ErrNotFound", err)
			}
			time.Sleep(time.Hour) // between the operations
		}
	})
}

func TestACallerThatGivesUpGetsItsOwnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := slow{takes: time.Minute}.Get(ctx, "k")
	if !errors.Is(err, context.Canceled) || errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("Get = %v; want context.Canceled alone", err)
	}
}

// Of many callers that need the same record while its engine is stuck, each waits for the budget at most.
func TestACellWaitsWithinTheBudget(t *testing.T) {
	inBudget(t, time.Hour, func(t *testing.T, engine storage.Store) {
		cell := storage.NewCell[note](storage.Place{Store: engine, Now: time.Now}, "note", "k")
		begin := time.Now()
		for range 10 {
			go func() { _ = cell.CatchUp(storage.WithBudget(t.Context())) }()
		}
		synctest.Wait()
		err := cell.CatchUp(storage.WithBudget(t.Context()))
		if took := time.Since(begin); took > storage.Budget {
			t.Errorf("CatchUp = %v after %v", err, took)
		}
	})
}

// otherTimeouts are the files whose timeouts limit something else than the store.
var otherTimeouts = map[string]string{
	"storage/store.go":        "the budget itself",
	"idp/dev/check/fetch.go":  "HTTP requests to the pages of an app",
	"idp/dev/console/wait.go": "the wait for the next flow, which a test program asks for",
	"idp/fetch/client.go":     "HTTP requests to addresses that clients name",
	"idp/logout/endpoint.go":  "HTTP requests that tell clients of a logout",
	"idp/users/comparison.go": "the wait for the turn of a password comparison",
	"cmd/idp/serve.go":        "the end of the process",
	"cmd/idp/sessions.go":     "HTTP requests that tell clients of a logout",
}

// Every other timeout of the provider would be a second answer to the question how long a request may wait for the
// store.
func TestTheBudgetIsTheOnlyTimeoutOfTheStore(t *testing.T) {
	for _, folder := range []string{"storage", "idp", "cmd/idp"} {
		err := filepath.WalkDir(filepath.Join("..", folder), func(path string, _ fs.DirEntry, err error) error {
			name := strings.TrimPrefix(filepath.ToSlash(path), "../")
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") || otherTimeouts[name] != "" {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				call, ok := node.(*ast.SelectorExpr)
				if ok && (strings.HasPrefix(call.Sel.Name, "WithTimeout") || strings.HasPrefix(call.Sel.Name, "WithDeadline")) {
					t.Errorf("%s calls %s: use the request's context, or say in otherTimeouts what it limits", name, call.Sel.Name)
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
