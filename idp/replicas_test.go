package idp_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/idp/lab"
	"github.com/hush-idp/hush/storage"
	"github.com/hush-idp/hush/storage/storagetest"
)

// What one console changes counts at the other replica, after a second at the latest.
func TestReplicasShareFaultsAndTheClock(t *testing.T) {
	clock := storagetest.NewClock()
	store := storage.NewMemory(clock.Now)
	type replica struct {
		*idp.Provider
		*dev.Mode
	}
	start := func() replica {
		p, mode, err := dev.Provider(idp.Config{Issuer: "http://localhost:8080", SigningKeys: []idp.SigningKey{{Alg: "ES256"}}},
			idp.Dependencies{Store: store, Propagation: time.Second, Now: clock.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		return replica{p, mode}
	}
	a, b := start(), start()
	ask := func(p replica) int {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequestWithContext(context.Background(), http.MethodGet, "http://localhost:8080/jwks", nil))
		return w.Code
	}
	ask(b)
	if _, err := a.Lab().Add(lab.Fault{Fault: lab.Status, Endpoint: "jwks", Status: 503}); err != nil {
		t.Fatal(err)
	}
	if err := a.Lab().Clock.Forward(time.Hour); err != nil {
		t.Fatal(err)
	}
	clock.Pass(time.Second)
	if got := ask(b); got != http.StatusServiceUnavailable || b.Lab().Clock.Offset() != time.Hour {
		t.Errorf("the other replica answers %d, and its clock is %v ahead", got, b.Lab().Clock.Offset())
	}
	if got := ask(a); got != http.StatusOK {
		t.Errorf("a fault for one request met another, at the first replica: %d", got)
	}
}
