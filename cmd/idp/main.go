package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// commandLine is the program's command line; the variables of its help are help.
type commandLine struct {
	Serve       serveCommand       `cmd:"" default:"withargs" help:"Run the provider; the default command."`
	Healthcheck healthcheckCommand `cmd:"" help:"${healthcheck}"`

	Check        checkCommand        `cmd:"" help:"${check}"`
	Keys         keysCommand         `cmd:"" help:"Signing keys in the store of --store."`
	HashPassword hashPasswordCommand `cmd:"" help:"Read a password and print its hash, for password_hash of a user."`
	Token        tokenCommand        `cmd:"" help:"${token}"`
	Sessions     sessionsCommand     `cmd:"" help:"Sessions in the store of --store."`

	RegistrationToken registrationTokenCommand `cmd:"" help:"${registration}"`
}

func main() {
	unsetEmpty()
	var line commandLine
	parsed := kong.Parse(&line,
		kong.Name("idp"), help,
		kong.Description("Hush, an OpenID Connect provider that shows how silent renewal works. Without any setting it "+
			"serves http://localhost:8080 with the users alice, bob and carol (password = name). Every flag can also be an "+
			"environment variable or a line of the file: flags win over environment, environment over file."),
		kong.UsageOnError())
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// unsetEmpty removes variables with an empty value: a compose file sets them when its own environment lacks them. They
// mean "not given", which the flag library does not know for every type.
func unsetEmpty() {
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "HUSH_") && value == "" {
			_ = os.Unsetenv(name) // fails for names that no variable can have
		}
	}
}

type serveCommand struct{ flags }

// Run serves until the process is told to end.
func (c serveCommand) Run() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	return serve(s)
}

type healthcheckCommand struct{ flags }

// Run requests /healthz, for containers without a shell.
func (c healthcheckCommand) Run() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	client := http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, // our own process, by its own address
	}}
	response, err := client.Get(s.scheme() + "://" + s.reachableAt() + "/healthz")
	if err != nil {
		return fmt.Errorf("the provider does not answer: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider answers %s", response.Status)
	}
	return nil
}
