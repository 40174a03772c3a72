// Command idp is the Hush identity provider.
//
//	flags, HUSH_* environment, YAML file ─► settings ─► idp.Config ─► idp.New ─► serve until SIGINT or SIGTERM
//
// Other commands work on the settings, or on the store of a provider that runs or ran before.
package main

import (
	"cmp"
	"crypto/tls"
	_ "embed" // help.yaml
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/goccy/go-yaml"
)

// commandLine is the program's command line.
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
	trimEnvironment()
	var line commandLine
	parsed := kong.Parse(&line,
		kong.Name("idp"), help(),
		kong.Description("Hush, an OpenID Connect provider that shows how silent renewal works. Without any setting it "+
			"serves http://localhost:8080 with the users alice, bob and carol (password = name). Every flag can also be an "+
			"environment variable or a line of the file: flags win over environment, environment over file."),
		kong.UsageOnError())
	if err := parsed.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

//go:embed help.yaml
var helpFile []byte

// help puts the texts of help.yaml in place of tags such as help:"${config}". The flag library could do it with
// variables, but it expands every variable again for each flag of each command: a third of the time of a start.
func help() kong.Option {
	return kong.PostBuild(func(k *kong.Kong) error {
		texts := map[string]string{}
		if err := yaml.Unmarshal(helpFile, &texts); err != nil {
			return err
		}
		return kong.Visit(k.Model, func(node kong.Visitable, next kong.Next) error {
			switch node := node.(type) {
			case *kong.Node:
				node.Help = cmp.Or(texts[strings.Trim(node.Help, "${}")], node.Help)
			case *kong.Value:
				node.Help = cmp.Or(texts[strings.Trim(node.Help, "${}")], node.Help)
			}
			return next(nil)
		})
	})
}

// trimEnvironment removes blanks and line breaks around the variables of this program: variables that are made from
// files end with a line break. It unsets a variable that is then empty: a compose file sets such a variable when its
// own environment does not have it, and it means "not given". The flag library does neither for values of all types.
func trimEnvironment() {
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		switch value = strings.TrimSpace(value); {
		case !strings.HasPrefix(name, "HUSH_"):
		case value == "":
			_ = os.Unsetenv(name) // fails for names that no variable can have
		default:
			_ = os.Setenv(name, value)
		}
	}
}

type healthcheckCommand struct{ flags }

// Run requests /healthz, for containers without a shell.
func (c healthcheckCommand) Run(s settings) error {
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
