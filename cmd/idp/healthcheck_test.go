package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A provider that listens at every address is asked at 127.0.0.1.
func TestHealthcheckOfAProviderThatListensEverywhere(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"", "0.0.0.0", "[::]", "localhost"} {
		s := mustSettings(t, "--listen", host+":"+port)
		if err := s.healthcheck(nil); err != nil {
			t.Errorf("--listen %s:PORT: %v", host, err)
		}
	}
}

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
			s := mustSettings(t, "--listen", server.Listener.Addr().String())
			err := s.healthcheck(nil)
			if (err == nil) != (row.text == "") || err != nil && !strings.Contains(err.Error(), row.text) {
				t.Errorf("healthcheck = %v; want %q", err, row.text)
			}
		})
	}
}
