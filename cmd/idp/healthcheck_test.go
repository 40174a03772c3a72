package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestHealthcheck(t *testing.T) {
	for _, row := range []struct {
		name, path string
		status     int
		text       string // of the error; empty: healthy
	}{
		{"healthy", "/healthz", http.StatusOK, ""},
		{"failing", "/healthz", http.StatusInternalServerError, "500"},
		{"something else listens there", "/other", http.StatusOK, "404"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != row.path {
					http.NotFound(w, r)
					return
				}
				w.WriteHeader(row.status)
			}))
			defer server.Close()
			check := healthcheckCommand{parse(t, "--listen", server.Listener.Addr().String())}
			err := check.Run()
			if (err == nil) != (row.text == "") || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("healthcheck = %v; want %q", err, row.text)
			}
		})
	}
}
