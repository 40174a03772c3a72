package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/hush-idp/hush/cmd/variables"
)

const about = `Hush, an OpenID Connect provider that shows how silent renewal works. Without any setting it serves
http://localhost:8080 with the users alice, bob and carol (password = name). Every flag can also be an
environment variable or a line of the file: flags win over environment, environment over file.`

// commandLine returns the program's commands. Without a command the program serves.
func commandLine() *cobra.Command {
	cobra.MousetrapHelpText = "" // a double click on Windows must start the program
	given := newFlags()
	root := given.command("idp", "", (*settings).serve)
	root.Args, root.Long, root.Version = nil, about, versionOf()
	root.PreRunE = cobra.NoArgs // without Args the library suggests commands, but lets an empty argument pass
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(explain)
	root.AddCommand(
		given.command("serve", "Run the provider; the default command.", (*settings).serve),
		given.command("healthcheck", "Ask the provider that runs with the same settings whether it is alive: exit 0 or 1.",
			(*settings).healthcheck),
		given.command("check", "Print what the provider would run with, or everything that is wrong with the settings.",
			(*settings).check),
		group("keys", "Signing keys in the store of --store.",
			given.command("list", "Show the published signing keys. On an empty Redis this makes them; a file has to be there.",
				(*settings).listKeys),
			given.command("rotate", "Make new signing keys, which sign when every provider has seen them; the old ones verify.",
				(*settings).rotateKeys)),
		hashPasswordCommand(),
		given.command("token USER CLIENT", "Print an access token for a user and a client without a sign-in, on a loopback "+
			"issuer only.", (*settings).printToken),
		group("sessions", "Sessions in the store of --store.", listSessionsCommand(given), endSessionCommand(given)),
		given.command("registration-token", "Print a token with which clients can be registered for a day "+
			"(registration.mode: token).", (*settings).printRegistrationToken),
	)
	return root
}

// command returns a command that works on the settings of a provider. use is its name, and then its arguments.
func (f flags) command(use, help string, run func(*settings, []string) error) *cobra.Command {
	c := &cobra.Command{Use: use, Short: help, Args: asIn(use), RunE: func(_ *cobra.Command, args []string) error {
		s, err := f.settings()
		if err != nil {
			return s.withUnread(err)
		}
		return run(&s, args)
	}}
	c.Flags().AddFlagSet(f.FlagSet)
	return c
}

// withUnread adds the variables that set nothing to an error about the settings: one may be the setting that is
// missing. After an error of the file nobody knows which variables it names.
func (s *settings) withUnread(err error) error {
	if s.given == nil {
		return err
	}
	for _, warning := range s.flags.unread(s.source) {
		err = fmt.Errorf("%w\nwarning: %s", err, warning)
	}
	return err
}

// group returns a command that does nothing without one of its own commands.
func group(name, help string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: name, Short: help, RunE: func(c *cobra.Command, _ []string) error {
		text := c.CommandPath() + " needs one of its commands: write"
		for _, each := range c.Commands() {
			text += "\n  " + each.UseLine()
		}
		return errors.New(text)
	}}
	c.AddCommand(commands...)
	return c
}

// asIn accepts as many arguments as use names after the command's name. An argument in brackets may be missing.
// The error does not show the arguments: the password that idp hash-password reads from stdin may be one by mistake.
func asIn(use string) cobra.PositionalArgs {
	most := strings.Count(use, " ")
	least := most - strings.Count(use, "[")
	return func(c *cobra.Command, args []string) error {
		if least <= len(args) && len(args) <= most {
			return nil
		}
		return fmt.Errorf("the command cannot be used with this number of arguments (%d): write %s", len(args), c.UseLine())
	}
}

// explain adds to the error about an unknown flag the flags with a similar spelling. The library suggests
// only commands.
func explain(c *cobra.Command, err error) error {
	text := fmt.Sprintf("%v: %s --help lists the flags", err, c.CommandPath())
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return errors.New(text)
	}
	var names []string
	c.Flags().VisitAll(func(flag *pflag.Flag) { names = append(names, flag.Name) })
	for _, name := range variables.Similar(unknown.GetSpecifiedName(), names) {
		text += "; did you mean --" + name + "?"
	}
	return errors.New(text)
}
