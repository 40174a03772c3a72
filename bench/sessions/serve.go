package main

import (
	"context"
	"log/slog"
	"net/http"
	"os"
	"runtime/pprof"
	"time"

	"github.com/hush-idp/hush/cmd/idp/observe"
	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/storage"
)

// serve serves a provider with the built-in users on the store until ctx ends. It is made as the program idp makes
// it, but the garbage collector runs more often than there. With --profile it writes where the processor time of that
// went.
func serve(ctx context.Context, o options, store storage.Store) error {
	development := false
	config := idp.Config{
		Issuer: "http://" + o.listen, Dev: &development, SigningKeys: []idp.SigningKey{{Alg: "ES256"}},
	}
	provider, err := idp.New(config, idp.Dependencies{
		Store: store, Now: time.Now, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Observers: []idp.Observer{observe.NewMetrics(time.Now)},
	})
	if err != nil {
		return err
	}
	if o.profile != "" {
		file, err := os.Create(o.profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	server := &http.Server{Addr: o.listen, Handler: provider, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); ctx.Err() == nil {
		return err
	}
	return nil
}
