package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestHealthcheckAsksWhereTheProviderListens uses that on Linux all of 127.0.0.0/8 is this machine.
func TestHealthcheckAsksWhereTheProviderListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener,
		Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/healthz" {
				http.NotFound(w, r)
			}
		})}}
	server.Start()
	defer server.Close()
	s := mustSettings(t, "--listen", listener.Addr().String())
	if err := s.healthcheck(nil); err != nil {
		t.Errorf("the provider listens at %s, and: %v", listener.Addr(), err)
	}
}
