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

type commandLine struct {
	Serve       serveCommand       `cmd:"" default:"withargs" help:"Run the provider. This is what happens without a command."`
	Healthcheck healthcheckCommand `cmd:"" help:"Ask the provider that runs with the same settings whether it is alive; exit with 0 or 1."`

	Check        checkCommand        `cmd:"" help:"Say what the provider would run with, or everything that is wrong with the settings; open nothing."`
	Keys         keysCommand         `cmd:"" help:"Signing keys in the store of --store."`
	HashPassword hashPasswordCommand `cmd:"" help:"Read a password and print its hash, for password_hash of a user."`
	Token        tokenCommand        `cmd:"" help:"Print an access token for a user and a client, on a loopback issuer only, without anybody signing in."`
	Sessions     sessionsCommand     `cmd:"" help:"Sessions in the store of --store."`

	RegistrationToken registrationTokenCommand `cmd:"" help:"Print a token that lets its bearer register clients for a day (registration.mode: token)."`
}

func main() {
	forgetEmpty()
	var line commandLine
	parsed := kong.Parse(&line,
		kong.Name("idp"),
		kong.Description("Hush, an OpenID Connect provider that shows how silent renewal works. Without any setting it serves "+
			"http://localhost:8080 with the users alice, bob and carol (password = name). Every flag can also be an "+
			"environment variable or a line of the file: flags win over environment, environment over file."),
		kong.UsageOnError())
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// forgetEmpty removes variables that are set to nothing, as a compose file does with what its own environment lacks. They
// mean "not given", which the flag library does not know of every type.
func forgetEmpty() {
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

// Run asks /healthz. A container without a shell has nothing else to ask with.
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
