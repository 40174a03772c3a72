package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

var (
	keyA = strings.Repeat("a", 32)
	keyB = strings.Repeat("b", 32)
	keyC = strings.Repeat("c", 32)
)

// precedence has a row for each setting: its names, what each source says, and what is true when no source says
// anything.
var precedence = []struct {
	flag, env, key       string
	byFlag, byEnv, byKey string
	byDefault            string
	get                  func(settings) string
}{
	{
		"listen", "HUSH_LISTEN", "listen", "127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:8080",
		func(s settings) string { return s.Listen },
	},
	{
		"issuer", "HUSH_ISSUER", "issuer", "http://localhost:1", "http://localhost:2", "http://localhost:3",
		"http://localhost:8080",
		func(s settings) string { return s.Issuer },
	},
	{
		"dev", "HUSH_DEV", "dev", "false", "true", "false", "true",
		func(s settings) string { return fmt.Sprint(s.Development()) },
	},
	{
		"cookie-keys", "HUSH_COOKIE_KEYS", "cookie_keys", keyA + "," + keyB, keyB + "," + keyC, "[" + keyC + "]", "",
		func(s settings) string { return strings.Join(s.CookieKeys, ",") },
	},
	{
		"log-level", "HUSH_LOG_LEVEL", "log_level", "error", "warn", "debug", "info",
		func(s settings) string { return s.LogLevel },
	},
	{
		"log-format", "HUSH_LOG_FORMAT", "log_format", "json", "text", "json", "text",
		func(s settings) string { return s.LogFormat },
	},
	{
		"back-channel-hosts", "HUSH_BACK_CHANNEL_HOSTS", "back_channel_hosts", "a:1", "b:2,c:3", "[d:4]", "",
		func(s settings) string { return strings.Join(s.BackChannelHosts, ",") },
	},
	{
		"dev-hosts", "HUSH_DEV_HOSTS", "dev_hosts", "a", "b,c", "[d]", "",
		func(s settings) string { return strings.Join(s.DevHosts, ",") },
	},
	{
		"ready-file", "HUSH_READY_FILE", "ready_file", "flag.json", "env.json", "file.json", "",
		func(s settings) string { return s.ReadyFile },
	},
	{
		"tls-cert", "HUSH_TLS_CERT", "tls_cert", "flag.pem", "env.pem", "file.pem", "",
		func(s settings) string { return s.TLSCert },
	},
	{
		"tls-key", "HUSH_TLS_KEY", "tls_key", "flag.pem", "env.pem", "file.pem", "",
		func(s settings) string { return s.TLSKey },
	},
	{
		"tls-self-signed", "HUSH_TLS_SELF_SIGNED", "tls_self_signed", "true", "false", "true", "false",
		func(s settings) string { return fmt.Sprint(s.TLSSelfSigned) },
	},
	{
		"fetch-allow-private", "HUSH_FETCH_ALLOW_PRIVATE", "fetch.allow_private", "false", "true", "false", "true",
		func(s settings) string { return fmt.Sprint(*s.Fetch.AllowPrivate) },
	},
	{
		"fetch-ca-file", "HUSH_FETCH_CA_FILE", "fetch.ca_file", "flag.pem", "env.pem", "file.pem", "",
		func(s settings) string { return s.Fetch.CAFile },
	},
}

// The sources, as bits: every combination of them is tried.
const (
	sourceFile = 1 << iota
	sourceEnv
	sourceFlag
	allSources
)

func TestFlagsOverEnvironmentOverFileOverDefaults(t *testing.T) {
	for _, row := range precedence {
		for sources := range allSources {
			want, args := row.byDefault, []string{}
			name := row.flag + " by default"
			if sources&sourceFile != 0 {
				want, name = row.byKey, row.flag+" by the file"
			}
			if sources&sourceEnv != 0 {
				want, name = row.byEnv, row.flag+" by the environment"
			}
			if sources&sourceFlag != 0 {
				want, name = row.byFlag, row.flag+" by the flag"
			}
			t.Run(fmt.Sprintf("%s, of %03b", name, sources), func(t *testing.T) {
				if sources&sourceFile != 0 {
					args = append(args, "--config", file(t, strings.ReplaceAll(row.key, ".", ":\n  ")+": "+row.byKey))
				}
				if sources&sourceEnv != 0 {
					t.Setenv(row.env, row.byEnv)
				}
				if sources&sourceFlag != 0 {
					args = append(args, "--"+row.flag+"="+row.byFlag)
				}
				s, _ := parse(t, args...).settings() // a certificate without its key is a problem, but not this test's
				if got := row.get(s); got != strings.Trim(want, "[]") {
					t.Errorf("got %s; want %s", got, want)
				}
			})
		}
	}
}

func TestTheFileIsNamedByFlagOverEnvironment(t *testing.T) {
	byFlag, byEnv := file(t, "log_level: error"), file(t, "log_level: warn")
	t.Setenv("HUSH_CONFIG", byEnv)
	if got := mustSettings(t).LogLevel; got != "warn" {
		t.Errorf("with HUSH_CONFIG log_level = %s; want its file's, warn", got)
	}
	if got := mustSettings(t, "--config", byFlag).LogLevel; got != "error" {
		t.Errorf("with HUSH_CONFIG and --config log_level = %s; want the flag's file's, error", got)
	}
}

// Listen and issuer follow from each other where one is missing.
func TestListenAndIssuerFollowFromEachOther(t *testing.T) {
	for _, row := range []struct{ name, args, listen, issuer string }{
		{"neither is given", "", "127.0.0.1:8080", "http://localhost:8080"},
		{"listen alone", "--listen=127.0.0.1:9000", "127.0.0.1:9000", "http://localhost:9000"},
		{"listen at all addresses", "--listen=0.0.0.0:9000", "0.0.0.0:9000", "http://localhost:9000"},
		{"listen at a port", "--listen=:9000", ":9000", "http://localhost:9000"},
		{"issuer alone", "--issuer=http://localhost:9000", "127.0.0.1:9000", "http://localhost:9000"},
		{"an issuer under localhost", "--issuer=http://idp.localhost:9000", "127.0.0.1:9000", "http://idp.localhost:9000"},
		{"an issuer at 127.0.0.1", "--issuer=http://127.0.0.1:9000", "127.0.0.1:9000", "http://127.0.0.1:9000"},
		{"an issuer at another loopback address", "--issuer=http://127.0.0.2:9000", "127.0.0.2:9000",
			"http://127.0.0.2:9000"},
		{"an issuer at an IPv6 loopback address", "--issuer=http://[::1]:9000", "[::1]:9000", "http://[::1]:9000"},
		{"the port of http", "--issuer=http://localhost", "127.0.0.1:80", "http://localhost"},
		{"the port of http at an address", "--issuer=http://127.0.0.1", "127.0.0.1:80", "http://127.0.0.1"},
		{"the port of http at an IPv6 address", "--issuer=http://[::1]", "[::1]:80", "http://[::1]"},
		{"the port of http under localhost", "--issuer=http://idp.localhost", "127.0.0.1:80", "http://idp.localhost"},
		{"the port of https", "--tls-self-signed --issuer=https://localhost", "127.0.0.1:443", "https://localhost"},
		{"https of a proxy", "--issuer=https://idp.localhost", "127.0.0.1:8080", "https://idp.localhost"},
		{"listen at the port of http", "--listen=127.0.0.1:80", "127.0.0.1:80", "http://localhost"},
		{"listen at the port of https", "--listen=127.0.0.1:443 --tls-self-signed", "127.0.0.1:443", "https://localhost"},
		{"a port that the system chooses", "--listen=127.0.0.1:0", "127.0.0.1:0", "http://localhost:0"},
		{"both, and they differ: a proxy or a container stands between", "--issuer=http://localhost:1 --listen=0.0.0.0:2",
			"0.0.0.0:2", "http://localhost:1"},
		{"TLS with neither", "--tls-self-signed", "127.0.0.1:8080", "https://localhost:8080"},
		{"TLS with listen", "--tls-self-signed --listen=127.0.0.1:8443", "127.0.0.1:8443", "https://localhost:8443"},
		{"TLS with issuer", "--tls-self-signed --issuer=https://idp.localhost:8443", "127.0.0.1:8443",
			"https://idp.localhost:8443"},
		{"TLS by files", "--tls-cert=c --tls-key=k", "127.0.0.1:8080", "https://localhost:8080"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := mustSettings(t, strings.Fields(row.args)...)
			if s.Listen != row.listen || s.Issuer != row.issuer {
				t.Errorf("listen, issuer = %s, %s; want %s, %s", s.Listen, s.Issuer, row.listen, row.issuer)
			}
		})
	}
}

func TestAPublicIssuerBehindAProxyListensOnThisMachine(t *testing.T) {
	for _, issuer := range []string{"https://login.example.com", "https://login.example.com:8443"} {
		if got := mustSettings(t, "--config", file(t, publicFile), "--issuer", issuer).Listen; got != "127.0.0.1:8080" {
			t.Errorf("behind %s listen = %s; want 127.0.0.1:8080", issuer, got)
		}
	}
}

func TestWhatOnlyALoopbackIssuerHas(t *testing.T) {
	s := mustSettings(t)
	if len(s.Users) != 3 || len(s.Clients) != 2 || !s.Development() {
		t.Errorf("%s has %d users, %d clients, development: %t; want alice, bob and carol, spa and web, true",
			s.Issuer, len(s.Users), len(s.Clients), s.Development())
	}
	if s := mustSettings(t, "--dev=false"); len(s.Users) != 3 || s.Development() {
		t.Errorf("--dev=false: %d users, development: %t; want 3, false", len(s.Users), s.Development())
	}
	public, err := parse(t, "--issuer=https://login.example.com").settings()
	if len(public.Users) != 0 || len(public.Clients) != 0 || public.Development() {
		t.Errorf("a public issuer has %d built-in users, %d clients, development: %t", len(public.Users), len(public.Clients),
			public.Development())
	}
	for _, want := range []string{"nobody can sign in", "no application can use"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("a public issuer without users and clients: %v; want %q in it", err, want)
		}
	}
}

// TestTheDocumentedFileIsGood holds docs/configuration.md to its word.
func TestTheDocumentedFileIsGood(t *testing.T) {
	text, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "```yaml\n")
	example, _, found := strings.Cut(after, "```")
	if !found {
		t.Fatal("docs/configuration.md has no yaml block")
	}
	s := mustSettings(t, "--config", file(t, example))
	if len(s.Users) != 1 || len(s.Clients) < 2 || s.Clients[1].DefaultMaxAge == nil {
		t.Errorf("the documented file gives %+v", s)
	}
	for _, row := range precedence {
		if !strings.Contains(string(text), "--"+row.flag) || !strings.Contains(string(text), row.env) ||
			!strings.Contains(string(text), "`"+row.key+"`") {
			t.Errorf("docs/configuration.md does not name --%s, %s and %s", row.flag, row.env, row.key)
		}
	}
}
