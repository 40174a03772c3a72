package idp_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idptest"
	"github.com/hush-idp/hush/storage"
)

// failing is an engine that can go away and come back.
type failing struct {
	storage.Store
	gone atomic.Bool
}

func (f *failing) check() error {
	if f.gone.Load() {
		return fmt.Errorf("the engine at 10.0.0.7 is gone: %w", storage.ErrUnavailable)
	}
	return nil
}

func (f *failing) Get(ctx context.Context, key string) ([]byte, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return f.Store.Get(ctx, key)
}

func (f *failing) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Store.Put(ctx, key, value, ttl)
}

func (f *failing) Update(
	ctx context.Context, key string, ttl time.Duration, change func([]byte) ([]byte, error),
) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.Store.Update(ctx, key, ttl, change)
}

func TestWhenTheStoreFailsErrorsSaySoAndServiceReturns(t *testing.T) {
	engine := &failing{}
	p := idptest.Start(t, nil, func(s storage.Store) storage.Store { engine.Store = s; return engine })
	b := p.Browser(t)
	b.SignIn("alice")
	code := b.Code(idptest.Request("spa", "prompt", "none"))
	tokens := b.Tokens("spa", b.Code(idptest.Request("spa", "prompt", "none")))

	engine.gone.Store(true)
	answer := b.Authorize(idptest.Request("spa", "prompt", "none"))
	if answer.Location == nil || answer.Location.Query().Get("error") != "temporarily_unavailable" {
		t.Errorf(
			"RFC 6749 §4.1.2.1 prompt=none gives %d %v; want temporarily_unavailable by redirect", answer.Status,
			answer.Location,
		)
	}
	for name, page := range map[string]idptest.Page{
		"token": b.Post("/token", tokenForm(code)), "userinfo": b.GetWithToken(
			"/userinfo", tokens["access_token"].(string),
		), "home": b.Get("/"),
	} {
		if page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" {
			t.Errorf("RFC 9110 §15.6.4 %s gives %d, Retry-After %q; want 503", name, page.Status, page.Header.Get("Retry-After"))
		}
		if strings.Contains(page.Body, "10.0.0.7") {
			t.Errorf("%s tells what only the log should:\n%s", name, page.Body)
		}
	}

	engine.gone.Store(false)
	if page := b.Post("/token", tokenForm(code)); page.Status != http.StatusOK {
		t.Errorf("after the engine's return the code gives %d: %s", page.Status, page.Body)
	}
	b.Code(idptest.Request("spa", "prompt", "none"))
}

func TestReadiness(t *testing.T) {
	for name, usable := range map[string]error{"usable": nil, "not usable": storage.ErrUnavailable} {
		t.Run(name, func(t *testing.T) {
			p, _, err := dev.Provider(idp.Config{SigningKeys: []idp.SigningKey{{Alg: "ES256"}}}, idp.Dependencies{
				Store: storage.NewMemory(
					time.Now,
				), Usable: func(context.Context) error { return usable }, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			})
			if err != nil {
				t.Fatal(err)
			}
			if w := answerOf(p, http.MethodGet, "/readyz", "", nil); (w.Code == http.StatusOK) != (usable == nil) {
				t.Errorf("/readyz gives %d %s", w.Code, w.Body)
			}
			if w := answerOf(p, http.MethodGet, "/healthz", "", nil); w.Code != http.StatusOK {
				t.Errorf("/healthz gives %d", w.Code)
			}
		})
	}
}
