// Package variables relates the flags of a program to environment variables, and finds variables that look like these
// and that the program does not read.
//
//	flag cookie-keys ──► Of ──► HUSH_COOKIE_KEYS ──► Unread: HUSH_COOKIE_KEY is not among them
package variables

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Of is the environment variable of a flag: HUSH_LOG_LEVEL for the prefix HUSH_ and the flag log-level.
func Of(prefix, flag string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// ofService matches a variable with its value that Kubernetes sets in every container of a namespace for a service: for
// the service hush among others HUSH_SERVICE_HOST and HUSH_PORT_8080_TCP. HUSH_PORT has a URL then; a number was
// written by a person.
// https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
var ofService = regexp.MustCompile(
	`^\w+_(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?=|PORT=(tcp|udp|sctp)://)`)

// Unread returns a warning for each variable of environ that has the prefix, and that neither is the variable of a flag
// nor has another reader. An empty variable counts as absent, as it does for a flag. A warning is all that is safe: the
// program that starts this one may have set the variable for a reason of its own. It shows no value.
func Unread(
	environ []string, prefix string, flags *pflag.FlagSet, hasReader func(name string) bool,
) (warnings []string) {
	var known []string
	read := map[string]bool{}
	flags.VisitAll(func(flag *pflag.Flag) {
		known = append(known, Of(prefix, flag.Name))
		read[Of(prefix, flag.Name)] = true
	})
	for _, each := range environ {
		name, value, _ := strings.Cut(each, "=")
		if !strings.HasPrefix(name, prefix) || strings.TrimSpace(value) == "" || read[name] || hasReader(name) ||
			ofService.MatchString(each) {
			continue
		}
		advice := "correct the spelling or remove it;"
		if similar := Similar(name, known); len(similar) > 0 {
			advice = "did you mean " + strings.Join(similar, " or ") + "?"
		}
		warnings = append(warnings, fmt.Sprintf("the environment variable %s has no effect, because no setting has this "+
			"name: %s --help lists the settings", name, advice))
	}
	return warnings
}

// Similar returns the names whose spelling is near to name, or that begin with it.
func Similar(name string, names []string) []string {
	commands := cobra.Command{SuggestionsMinimumDistance: 2} // the library compares the names of commands only
	for _, each := range names {
		commands.AddCommand(&cobra.Command{Use: each, Run: func(*cobra.Command, []string) {}})
	}
	return commands.SuggestionsFor(name)
}
