// Command idp is the Hush identity provider.
//
//	flags, HUSH_* environment, YAML file ─► settings ─► idp.Config ─► idp.New ─► serve until SIGINT or SIGTERM
//
// While the provider runs, changes of the file apply to it (reload.go).
//
// Other commands work on the settings, or on the store of a provider that runs or ran before.
package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"time"
)

func main() {
	if err := commandLine().Execute(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// healthcheck requests /healthz, for containers without a shell.
func (s *settings) healthcheck([]string) error {
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // our own process, by its own address
	}}
	response, err := client.Get(s.Scheme() + "://" + s.reachableAt() + "/healthz")
	if err != nil {
		return fmt.Errorf("the provider does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider answers %s", response.Status)
	}
	return nil
}
