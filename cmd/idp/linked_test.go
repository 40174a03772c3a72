package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hush-idp/hush/storage/redis/redistest"
)

// Two programs on one Redis are one console: what a browser does at one is seen at the other.
func TestConsolesOfTwoProgramsAreLinked(t *testing.T) {
	server, path := redistest.Start(t), binary(t)
	a, b := freeAddress(t, "127.0.0.1"), freeAddress(t, "127.0.0.1")
	for _, address := range []string{a, b} {
		startServing(t, path, "--listen", address, "--issuer", "http://"+a, "--store", server.URL, "--cookie-keys", testSecret, "--log-level", "error")
	}
	ask := func(address, path string) string {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = a
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if !redistest.Eventually(func() bool {
		ask(a, "/authorize?client_id=unknown-to-both")
		return strings.Contains(ask(b, "/console/flows"), "unknown-to-both")
	}) {
		t.Errorf("the other console shows %s", ask(b, "/console/flows"))
	}
}
