package idp_test

import (
	"log/slog"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/storage"
)

// Each start waits for this. In development mode the provider has three issuers; each is built by its first request.
func TestAProviderIsBuiltWithFewAllocations(t *testing.T) {
	const most = 7_000
	deps := idp.Dependencies{Store: storage.NewMemory(time.Now), Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	signing := []idp.SigningKey{{Alg: "ES256"}}
	allocations := testing.AllocsPerRun(3, func() {
		if _, _, err := dev.Provider(idp.Config{SigningKeys: signing}, deps); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > most {
		t.Errorf("the built-in provider is built with %.0f allocations; want at most %d", allocations, most)
	}
}
