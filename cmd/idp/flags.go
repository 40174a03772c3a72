package main

import (
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/hush-idp/hush/cmd/variables"
	"github.com/hush-idp/hush/idp"
)

// flags are the settings of the command line and of the environment, which win over those of the file. The setting
// fetch.ca_file is the flag --fetch-ca-file and the variable HUSH_FETCH_CA_FILE.
type flags struct{ *pflag.FlagSet }

// settingFlags are the flags of each command that works on the settings of a provider, and their help. The placeholder
// of the value is in backquotes; a flag without one is a boolean.
var settingFlags = [][2]string{
	{"config", "YAML `FILE` with everything that can be configured (docs/configuration.md);\n- reads it from stdin."},
	{"config-json", "The content of such a file as `JSON` or YAML, instead of a file."},
	{"listen", "Address to listen at, `HOST:PORT`. Default: 127.0.0.1 and the issuer's port. With port 0\nthe " +
		"system chooses a free port, and the issuer follows from it."},
	{"issuer", "The provider's `URL`, as browsers see it. Default: http://localhost and the port\nlistened at."},
	{"dev", "Development mode: one-click sign-in, addresses and users on the home page. On for\na loopback issuer, " +
		"impossible for others; --dev=false turns it off."},
	{"dev-hosts", "`HOST`s that count as this machine, separated by commas, so that the issuer may have one of\nthem, " +
		"by http: for a network of containers. Everybody who reaches them can do everything."},
	{"back-channel-hosts", "`HOST:PORT`s at which programs reach the provider too, separated by commas, such as\n" +
		"idp:8080: discovery names the endpoints for programs there. Development mode only."},
	{"store", "`STORE` where sessions, spent codes and all other state are kept: memory (lost\nwith the process), " +
		"file:PATH, or redis://HOST:PORT and its variants (docs/operations.md).\nDefault: memory."},
	{"metrics-listen", "Address at which /metrics is served, `HOST:PORT`. Default: none; a loopback issuer\n" +
		"has /metrics at its own."},
	{"cookie-keys", "`KEY`s that sign cookies and encrypt codes, 32 characters or more, separated by commas;\n" +
		"the first signs and encrypts."},
	{"ready-file", "`FILE` that is written when the provider listens, with issuer, port, console and pid as\nJSON, and " +
		"removed when it ends. The message on stdout is the same JSON then."},
	{"log-level", "`LEVEL` of the log: debug, info, warn or error. Default: info."},
	{"log-format", "`FORMAT` of the log: text or json. Default: text. With json the message on stdout is JSON\ntoo."},
	{"tls-cert", "PEM `FILE` with the certificate chain, to serve https."},
	{"tls-key", "PEM `FILE` with the certificate's key."},
	{"tls-self-signed", "Serve https with a certificate made at start, for development on a loopback\nissuer."},
	{"any-client", "Let in clients that are not registered, if their redirect URI has a loopback host;\n" +
		"in development mode only."},
	{"login-hint-signs-in", "Sign the user of login_hint in without a page, for tests; in development mode only."},
	{"fetch-allow-private", "Fetch what clients name, such as jwks_uri, from private addresses and by http too.\n" +
		"On in development mode."},
	{"fetch-ca-file", "PEM `FILE` of certificate authorities that are trusted when the provider fetches,\n" +
		"besides the system's."},
}

func newFlags() flags {
	f := flags{pflag.NewFlagSet("idp", pflag.ContinueOnError)}
	for _, row := range settingFlags {
		name, help := row[0], row[1]
		value := &given{isBoolean: !strings.Contains(help, "`")}
		flag := f.VarPF(value, name, "", help+" ["+variableOf(name)+"]")
		if value.isBoolean {
			flag.NoOptDefVal = "true"
		}
	}
	return f
}

// given has the texts that a flag was set to, without blanks and line breaks at both ends: a variable that is made from
// a file ends with a line break. An empty text does not count, because a compose file sets a variable to nothing when
// its own environment does not have it.
type given struct {
	texts     []string
	isBoolean bool
}

// Set implements pflag.Value.
func (g *given) Set(text string) error {
	if text = strings.TrimSpace(text); text != "" {
		g.texts = append(g.texts, text)
	}
	return nil
}

// String implements pflag.Value: it is the last text, or empty.
func (g *given) String() string {
	if len(g.texts) == 0 {
		return ""
	}
	return g.texts[len(g.texts)-1]
}

// Type implements pflag.Value: help shows no value for a boolean.
func (g *given) Type() string {
	if g.isBoolean {
		return "bool"
	}
	return "string"
}

// variableOf is the environment variable of the flag.
func variableOf(name string) string { return variables.Of(prefix, name) }

// prefix begins the name of each variable.
const prefix = "HUSH_"

// unread warns of variables that begin with the prefix and that nobody reads. Values of the file may name some of them,
// and some are of the demo and of the helpers for tests.
func (f flags) unread(src source) []string {
	return variables.Unread(os.Environ(), prefix, f.FlagSet, func(name string) bool {
		return src.variables[name] || strings.HasPrefix(name, prefix+"DEMO_") || name == prefix+"IDP"
	})
}

// readEnvironment sets each flag that is not on the command line to the value of its variable.
func (f flags) readEnvironment() {
	f.VisitAll(func(flag *pflag.Flag) {
		if !flag.Changed && flag.Value.String() == "" { // a second call changes nothing
			_ = flag.Value.Set(os.Getenv(variableOf(flag.Name))) // takes every text
		}
	})
}

// override replaces values of the file by values of flags and environment. It returns a problem for each boolean flag
// whose value is not one of booleans.
func (f flags) override(s *settings) (problems idp.Problems) {
	f.VisitAll(func(flag *pflag.Flag) {
		key, text := strings.ReplaceAll(flag.Name, "-", "_"), flag.Value.String()
		if text == "" {
			return
		}
		to, ok := settingOf(reflect.ValueOf(s).Elem(), key)
		if !ok {
			return
		}
		switch value, isBoolean := booleans[strings.ToLower(text)]; {
		case to.Kind() == reflect.Slice:
			to.Set(reflect.ValueOf(entriesOf(flag.Value.(*given).texts)))
		case to.Kind() == reflect.String:
			to.SetString(text)
		case !isBoolean:
			problems = append(problems, idp.Problem{Path: key,
				Text: strconv.Quote(text) + " is no boolean: write true, 1, yes, false, 0 or no"})
		case to.Kind() == reflect.Pointer:
			to.Set(reflect.ValueOf(&value))
		default:
			to.SetBool(value)
		}
	})
	return problems
}

// booleans are the values of a flag without a placeholder.
var booleans = map[string]bool{"true": true, "1": true, "yes": true, "false": false, "0": false, "no": false}

// entriesOf returns the entries of a list: each line is one, and commas separate them. People write a blank after the
// comma.
func entriesOf(texts []string) (entries []string) {
	separates := func(r rune) bool { return r == ',' || r == '\n' }
	for _, entry := range strings.FieldsFunc(strings.Join(texts, "\n"), separates) {
		if entry = strings.TrimSpace(entry); entry != "" {
			entries = append(entries, entry)
		}
	}
	return entries
}

// name is "--store or HUSH_STORE" for the path store. It is empty if neither the command line nor the environment set
// the setting.
func (f flags) name(path string) string {
	path, _, _ = strings.Cut(strings.NewReplacer(".", "-", "_", "-").Replace(path), "[")
	if flag := f.Lookup(path); flag == nil || flag.Value.String() == "" {
		return ""
	}
	return "--" + path + " or " + variableOf(path)
}

// settingOf returns the field of a struct, or of a section in it, that has this key.
func settingOf(v reflect.Value, key string) (reflect.Value, bool) {
	for _, field := range fieldsOf(v.Type()) {
		within, isWithin := strings.CutPrefix(key, keyOf(field)+"_")
		switch at := v.FieldByIndex(field.Index); {
		case keyOf(field) == key:
			return at, true
		case isWithin && at.Kind() == reflect.Struct:
			return settingOf(at, within)
		}
	}
	return reflect.Value{}, false
}
