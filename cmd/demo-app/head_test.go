package main

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// RFC 9110 §9.3.2: HEAD is GET without the body.
func TestHeadIsAnsweredLikeGet(t *testing.T) {
	server := startDemo(t)
	for _, path := range []string{"/", "/spa/", "/static/shared/hush.css", "/config.json", "/healthz"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || response.StatusCode != http.StatusOK || len(body) > 0 || response.Header.Get("Content-Type") == "" {
			t.Errorf("HEAD %s gives %d with %d bytes, %v", path, response.StatusCode, len(body), err)
		}
	}
}

func TestAnEmptyArgumentIsNoCommand(t *testing.T) {
	command := commandLine()
	command.SetArgs([]string{""})
	if err := command.Execute(); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("demo-app '': got %v; want a refusal of the argument", err)
	}
}
