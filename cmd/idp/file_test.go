package main

import (
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// fileRow is a good file with one change, and the error that names file, line and remedy. The line is the one with #
// HERE.
type fileRow struct {
	name     string
	old, new string // old is replaced; empty: new is added at the end
	text     string
}

// loopbackFaults are faults of loopbackFile.
var loopbackFaults = []fileRow{
	{"an unknown key", "", "listn: 127.0.0.1:8080 # HERE", "docs/configuration.md"},
	{"a byte order mark in the middle", "", "\ufefflog_level: info # HERE", "the character U+FEFF"},
	{"a no-break space before a key", "    password: alice", "    password: alice\n    \u00a0claims: {} # HERE",
		"the character U+00A0"},
	{"a secret with a line break at its end", "    password: alice", "    password: | # HERE\n      alice", "write |-"},
	{"a secret in quotes with a line break", "    password: alice", "    password: \"alice\\n\" # HERE", "line break"},
	{"an unknown key of a client", "    token_endpoint_auth_method: none",
		"    token_endpoint_auth_method: none\n    redirect_uri: x # HERE", "docs/configuration.md"},
	{"a key of a client without its last letter", "    token_endpoint_auth_method: none",
		"    token_endpoint_auth_method: none\n    redirect_uri: x # HERE", "did you mean redirect_uris?"},
	{"a key of a client without a letter", "", "    acess_token_lifetime: 1h # HERE",
		"did you mean access_token_lifetime?"},
	{"a group of keys without a letter", "", "sesion: {idle: 1h} # HERE", "did you mean session?"},
	{"an unknown key of a user", "    password: alice", "    password: alice\n    passwort: alice # HERE",
		"did you mean password?"},
	{"a key like no other", "", "nonsense: 1 # HERE", "correct the spelling"},
	{"broken YAML: a key further left than the one before it", "    password: alice", "   password: alice # HERE",
		`column 4 of the line that begins with "password:"; check the indentation`},
	{"broken YAML: a key below a value", "", "log_level: info\n  colour: x", "check the indentation"},
	{"a list in place of a text", "", "listen: [127.0.0.1] # HERE", "should be a text"},
	{"a text in place of a list", "    redirect_uris:\n      - http://localhost:9090/cb",
		"    redirect_uris: http://localhost:9090/cb # HERE", "should be a list"},
	{"a text in place of a boolean", "", "dev: perhaps # HERE", "write true or false"},
	{"a text in place of a number", "", "    default_max_age: soon # HERE", "a whole number"},
	{"a text in place of a duration", "", "    access_token_lifetime: fast # HERE", "duration"},
	{"a text in place of settings", "", "session: 2h # HERE", "should be a group of keys"},
	{"the same key twice", "", "issuer: http://localhost:1 # HERE", "issuer"},
	{"a second document, of which nobody would read a word", "", "---\nlog_level: debug", "document"},
	{"a second document without a word", "", "---", "document"},
	{"broken YAML: a bracket that is not closed", "", "cookie_keys: [a # HERE", ""},
	{"broken YAML: a key without its colon", "issuer: http://localhost:8080", "issuer http://localhost:8080", ""},

	{"Discovery §3 an issuer of another scheme", "issuer: http://localhost:8080", "issuer: ftp://localhost # HERE",
		"https://login.example.com"},
	{"Discovery §3 an issuer with a query", "issuer: http://localhost:8080", "issuer: http://localhost:8080?x=1 # HERE",
		"write http://localhost:8080"},
	{"Discovery §3 an issuer with a fragment", "issuer: http://localhost:8080", "issuer: 'http://localhost:8080#x' # HERE",
		"write http://localhost:8080"},
	{"an issuer whose path needs an escape", "issuer: http://localhost:8080", "issuer: http://localhost:8080/a%20b # HERE",
		"such as http://localhost:8080/realms/demo"},
	{"an issuer with a final slash", "issuer: http://localhost:8080", "issuer: http://localhost:8080/ # HERE",
		"write http://localhost:8080"},
	{"an issuer with a final colon", "issuer: http://localhost:8080", "issuer: 'http://localhost:' # HERE",
		"write http://localhost"},
	{"an https issuer that nobody serves", "issuer: http://localhost:8080", "issuer: https://localhost:8080 # HERE",
		"--tls-self-signed"},

	{"a short cookie key", "", "cookie_keys:\n  - " + keyA + "\n  - short # HERE", "openssl rand"},
	{"RFC 8725 §3.1 a signing key with alg none", "", "signing_keys:\n  - alg: none # HERE", "supported are"},
	{"the same alg twice", "", "signing_keys:\n  - alg: RS256\n  - alg: RS256 # HERE", "keep one"},
	{"an alg for which there is no key", "", "    id_token_signed_response_alg: ES256 # HERE", "add one to signing_keys"},
	{"RFC 6749 §3.3 a scope with a space", "", "scopes:\n  - name: orders read # HERE", "without space"},
	{"RFC 6749 §3.3 a scope with a letter beyond ASCII", "", "scopes:\n  - name: änderungen # HERE", "RFC 6749 §3.3"},
	{"RFC 6749 §3.3 a scope without a name", "", "scopes:\n  - description: all # HERE", "RFC 6749 §3.3"},
	{"a scope twice", "", "scopes:\n  - name: a\n  - name: a # HERE", "remove one"},
	{"a scope that is there twice", "", "scopes:\n  - name: api\n  - name: api # HERE", "remove one"},
	{"a client's scope that the provider does not know", "", "    scope: openid telepathy # HERE", "add it to scopes"},
	{"a negative idle lifetime", "", "session:\n  idle: -1h # HERE", "2h"},
	{"a duration without its unit", "", "session:\n  idle: 30 # HERE", "90s"},
	{"an idle lifetime below a second", "", "session:\n  idle: 5ms # HERE", "less than a second"},
	{"RFC 6749 §5.1 expires_in is in seconds, so a token lives one or more", "", "    access_token_lifetime: 5ms # HERE",
		"second"},
	{"an idle lifetime longer than the absolute one", "", "session:\n  absolute: 3h\n  idle: 4h # HERE", "shorten"},

	{"a user without a password", "    password: alice", "", "alice"},
	{"a user without a name", "  - username: alice", "  - sub: alice # HERE", "every user needs one"},
	{"a username with a blank before it", "username: alice", "username: ' alice' # HERE", "remove it"},
	{"a username with a blank behind it", "username: alice", "username: \"alice \" # HERE", "remove it"},
	{"a username with a line break behind it", "username: alice", "username: \"alice\\n\" # HERE", "remove it"},
	{"a username with a blank that does not break", "username: alice", "username: \"alice\\u00a0\" # HERE", "remove it"},
	{"a username of blanks", "username: alice", "username: \"  \" # HERE\n    sub: a", "every user needs one"},
	{"two users of one name, composed and decomposed", "clients:", "  - {username: Zoe\u0308, sub: z1, password: z}\n" +
		"  - {username: zo\u00eb, sub: z2, password: z} # HERE\nclients:", "rename one"},
	{"two users of one name", "clients:", "  - username: ALICE # HERE\n    sub: a2\n    password: a\nclients:",
		`users[0], "alice", already, because case does not count: rename one`},
	{"Core §2 two users of one sub", "clients:", "  - username: bob\n    sub: alice # HERE\n    password: b\nclients:",
		"never shared"},
	{"Core §2 a sub of more than 255 characters", "    password: alice", "    password: alice\n    sub: " +
		strings.Repeat("s", 256) + " # HERE", "255"},
	{"a password and a hash", "    password: alice", "    password: alice # HERE\n    password_hash: " + bcryptHash,
		"keep one"},
	{"a hash that cannot be read", "    password: alice", "    password_hash: alice # HERE", "argon2id"},

	{"two users of one email", "clients:", "  - username: bob\n    password: b\n    claims:\n      email: x@y.test\n" +
		"  - username: eve\n    password: e\n    claims:\n      email: X@y.test # HERE\nclients:", "one person's"},

	{"two clients of one client_id", "",
		"  - client_id: spa # HERE\n    client_secret: s\n    redirect_uris: [http://localhost/]", "duplicate"},
	{"RFC 6749 §3.1.2 a redirect URI with a fragment", "      - http://localhost:9090/cb",
		"      - http://localhost:9090/cb\n      - 'http://localhost:9090/#x' # HERE", "remove the #"},
	{"RFC 6749 §3.1.2 a redirect URI that is no URL", "      - http://localhost:9090/cb", "      - /cb # HERE",
		"write it whole"},
	{"a confidential client without a secret", "    token_endpoint_auth_method: none",
		"    token_endpoint_auth_method: client_secret_basic", "single-page"},
	{"a public client with a secret", "    token_endpoint_auth_method: none",
		"    token_endpoint_auth_method: none\n    client_secret: s # HERE", "remove one"},

	{"an address without a port", "", "listen: 127.0.0.1 # HERE", "HOST:PORT"},
	{"a log level that there is not", "", "log_level: loud # HERE", "debug"},
	{"a log format that there is not", "", "log_format: xml # HERE", "json"},
	{"a certificate without its key", "issuer: http://localhost:8080",
		"tls_cert: c.pem # HERE\nissuer: https://localhost:8080", "belong together"},
	{"a certificate, and another one", "issuer: http://localhost:8080",
		"issuer: https://localhost:8080\ntls_cert: c\ntls_key: k\ntls_self_signed: true # HERE", "keep one"},
	{"TLS for an http issuer", "issuer: http://localhost:8080",
		"tls_self_signed: true\nissuer: http://localhost:8080 # HERE", "write https"},
}

// publicFaults are faults of publicFile.
var publicFaults = []fileRow{
	{"a plain password", "    password_hash: " + bcryptHash, "    password: dana # HERE", "password_hash"},
	{"development mode", "", "dev: true # HERE", "remove dev"},
	{"a self-signed certificate", "", "tls_self_signed: true # HERE", "tls_cert"},
	{"an issuer that others reach by http", "issuer: https://login.example.com", "issuer: http://login.example.com # HERE",
		"use https"},
	{"an issuer that is no URL", "issuer: https://login.example.com", "issuer: login.example.com # HERE",
		"write one like https://"},
}

func TestFaultsOfTheFileAreToldByLine(t *testing.T) {
	for _, row := range loopbackFaults {
		t.Run(row.name, func(t *testing.T) { row.check(t, loopbackFile) })
	}
	for _, row := range publicFaults {
		t.Run("a public issuer and "+row.name, func(t *testing.T) { row.check(t, publicFile) })
	}
}

func (row fileRow) check(t *testing.T, good string) {
	t.Helper()
	text := good + row.new + "\n"
	if row.old != "" {
		text = strings.Replace(good, row.old, row.new, 1)
		if text == good {
			t.Fatalf("the good file has no %q", row.old)
		}
	}
	name := file(t, text)
	_, err := parse(t, "--config", name).settings()
	if err == nil || !strings.Contains(err.Error(), row.text) {
		t.Fatalf("got %v; want an error with %q in it", err, row.text)
	}
	if place := row.place(name, text); !strings.HasPrefix(err.Error(), place) {
		t.Errorf("got %v; want it to begin with %s", err, place)
	}
	if lines := strings.Count(err.Error(), "\n"); lines > 0 {
		t.Errorf("one fault gave %d problems:\n%v", lines+1, err)
	}
}

// place is where the error has to say it is; without # HERE what is wrong is missing, and any line will do.
func (fileRow) place(name, text string) string {
	before, _, marked := strings.Cut(text, "# HERE")
	if !marked {
		return name + ":"
	}
	return fmt.Sprintf("%s:%d: ", name, strings.Count(before, "\n")+1)
}

func TestTheGoodFilesAreGood(t *testing.T) {
	for name, text := range map[string]string{
		"loopback": loopbackFile, "public": publicFile, "empty": "", "blank": " \n\n", "a comment": "# nothing yet\n",
		"a separator": "---\n",
		"a session shorter than the idle lifetime would be by default": "session:\n  absolute: 1h\n",

		"durations in every notation": "session:\n  idle: \"30m\" # half an hour\n  absolute: 1h30m\n",

		"a claim that is called like a lifetime": strings.Replace(loopbackFile, "    password: alice",
			"    password: alice\n    claims:\n      idle: never", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if s := mustSettings(t, "--config", file(t, text)); len(s.Clients) == 0 {
				t.Error("there are no clients")
			}
		})
	}
}

func TestTheFileSaysWhatItSays(t *testing.T) {
	s := mustSettings(t, "--config", file(t, publicFile))
	if s.Users[0].Username != "dana" || s.Users[0].PasswordHash != bcryptHash ||
		!s.Clients[0].ClientSecret.Matches("a-long-random-secret") {
		t.Errorf("the file is read as %+v", s)
	}
	if s.Clients[0].RedirectURIs[0] != "https://shop.example.com/cb" || s.Issuer != "https://login.example.com" {
		t.Errorf("the file is read as %+v", s)
	}
}

func TestAllFaultsAreToldAtOnce(t *testing.T) {
	name := file(t, "log_level: loud\n"+loopbackFile+"log_format: xml\n")
	_, err := parse(t, "--config", name).settings()
	for _, want := range []string{name + ":1: log_level", name + ":12: log_format"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q in it", err, want)
		}
	}
}

// The mistakes of the provider's configuration and those of this command's settings are told in one order. So are keys
// that are there twice, which are found before what the others hold is read.
func TestFaultsAreToldInTheOrderOfTheFile(t *testing.T) {
	for _, text := range []string{
		"log_level: loud\n" + loopbackFile + "log_format: xml\ncookie_keys: [short]\n",
		"log_level: [a]\nissuer: http://localhost:1\nusers: a\nissuer: http://localhost:2\n",
	} {
		_, err := parse(t, "--config", file(t, text)).settings()
		var lines []int
		for _, found := range regexp.MustCompile(`(?m)^[^:]+:(\d+): `).FindAllStringSubmatch(fmt.Sprint(err), -1) {
			line, _ := strconv.Atoi(found[1])
			lines = append(lines, line)
		}
		if len(lines) < 3 || !slices.IsSorted(lines) {
			t.Errorf("got the lines %v of\n%v", lines, err)
		}
	}
}

// A fault of the issuer is told alone, without those of settings that follow from it.
func TestWhatFollowsFromTheIssuerIsNotTold(t *testing.T) {
	for name, args := range map[string]string{
		"users and clients":                 "--issuer=localhost:28091",
		"development mode":                  "--issuer=localhost:28091 --login-hint-signs-in --dev",
		"a certificate":                     "--issuer=localhost:28091 --tls-self-signed",
		"the names at which it answers too": "--issuer=http://localhost:28091/login",
	} {
		_, err := parse(t, strings.Fields(args)...).settings()
		if err == nil || !strings.HasPrefix(err.Error(), "--issuer or HUSH_ISSUER: ") ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v; want one line about the issuer", name, err)
		}
	}
}

// What stands in a line that is no YAML may be a secret, so only the name of a setting is shown of it.
func TestBrokenYAMLIsNotShown(t *testing.T) {
	for _, broken := range []string{
		"  password: hunter2", "      hunter2: x", " hunter2", "   hunter2: x", "   - hunter2",
	} {
		text := strings.Replace(loopbackFile, "    password: alice", "    password: alice\n"+broken, 1)
		if _, err := parse(t, "--config", file(t, text)).settings(); err == nil ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q gave %v; want an error without it", broken, err)
		}
	}
}

func TestAFileThatIsNotThere(t *testing.T) {
	name := filepath.Join(t.TempDir(), "missing.yaml")
	if _, err := parse(t, "--config", name).settings(); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("got %v; want an error that names %s", err, name)
	}
}

// A value that a flag or a variable gave is not the file's fault, even where the file has the same key.
func TestFaultsOfFlagsAreToldByFlag(t *testing.T) {
	for _, row := range []struct{ name, args, flag, text string }{
		{"an issuer", "--issuer=http://login.example.com", "--issuer or HUSH_ISSUER: ", "use https"},
		{"an address", "--listen=here", "--listen or HUSH_LISTEN: ", "HOST:PORT"},
		{"development mode", "--issuer=https://login.example.com --dev", "--dev or HUSH_DEV: ", "loopback"},
		{"a log level", "--log-level=loud", "--log-level or HUSH_LOG_LEVEL: ", "debug"},
		{"a log format", "--log-format=xml", "--log-format or HUSH_LOG_FORMAT: ", "json"},
		{"a certificate without its key", "--tls-cert=c", "--tls-cert or HUSH_TLS_CERT: ", "belong together"},
		{"a key without its certificate", "--tls-key=k", "--tls-key or HUSH_TLS_KEY: ", "belong together"},
		{"a self-signed certificate of a real host", "--issuer=https://login.example.com --tls-self-signed",
			"--tls-self-signed or HUSH_TLS_SELF_SIGNED: ", "tls_cert"},
		{"a short cookie key", "--cookie-keys=short", "--cookie-keys or HUSH_COOKIE_KEYS: ", "openssl rand"},
		{"a second cookie key that is short", "--cookie-keys=" + keyA + ",short", "--cookie-keys or HUSH_COOKIE_KEYS: ",
			"openssl rand"},
	} {
		t.Run(row.name, func(t *testing.T) {
			withKeys := loopbackFile + "log_level: info\ncookie_keys:\n  - " + keyB + "\n  - " + keyC + "\n"
			_, err := parse(t, append(strings.Fields(row.args), "--config", file(t, withKeys))...).settings()
			if err == nil || !tells(err.Error(), row.flag, row.text) {
				t.Errorf("got %v; want a line that begins with %q and has %q in it", err, row.flag, row.text)
			}
		})
	}
}

func tells(text, start, inside string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, start) && strings.Contains(line, inside) {
			return true
		}
	}
	return false
}

func TestNoErrorShowsASecret(t *testing.T) {
	const secret = "hunter2-hunter2"
	for name, args := range map[string][]string{
		"a short cookie key": {"--cookie-keys=" + secret},
		"a plain password in public": {"--config",
			file(t, strings.Replace(publicFile, "password_hash: "+bcryptHash, "password: "+secret, 1))},
		"a password beside a hash": {"--config",
			file(t, strings.Replace(publicFile, "    password_hash", "    password: "+secret+"\n    password_hash", 1))},
		"a secret of a public client": {"--config",
			file(t, strings.Replace(loopbackFile, "    token_endpoint_auth_method: none",
				"    token_endpoint_auth_method: none\n    client_secret: "+secret, 1))},
		"a password for a hash": {"--config", file(t, strings.Replace(publicFile, bcryptHash, secret, 1))},
		"a list in place of a secret": {"--config",
			file(t, strings.Replace(publicFile, "a-long-random-secret", "["+secret+"]", 1))},
		"an unknown key beside it all": {"--config",
			file(t, strings.Replace(publicFile, "client_secret: a-long-random-secret", "client_secrt: "+secret, 1))},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parse(t, args...).settings(); err == nil || strings.Contains(err.Error(), secret) {
				t.Errorf("got %v; want an error, and the secret not in it", err)
			}
		})
	}
}
