package main

import (
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/alecthomas/kong"
)

// cli is the command line. Each flag is also an environment variable: HUSH_DEMO_LISTEN and so on.
type cli struct {
	config

	Serve       serveCommand       `cmd:"" default:"1" hidden:"" help:"Serve the demo until interrupted (the default)."`
	Healthcheck healthcheckCommand `cmd:"" hidden:"" help:"Exit with 0 when the demo at --listen is healthy: for containers without curl."`
}

type serveCommand struct{}

// Run serves until the process is interrupted.
func (serveCommand) Run(c config) error { return serve(c, os.Stdout, os.Stderr) }

type healthcheckCommand struct{}

// Run asks the running demo for /healthz.
func (healthcheckCommand) Run(c config) error {
	client := http.Client{Timeout: 3 * time.Second}
	response, err := client.Get(selfURL(c.Listen) + "/healthz")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("/healthz answered %s, expected 200", response.Status)
	}
	return nil
}

func main() {
	var c cli
	command := kong.Parse(&c, options()...)
	command.FatalIfErrorf(command.Run(c.config))
}

func options() []kong.Option {
	return []kong.Option{
		kong.Name("demo-app"),
		kong.Description("A relying party to try the Hush provider with: a single-page app, a server-side app and an API."),
		kong.DefaultEnvars("HUSH_DEMO"),
	}
}
