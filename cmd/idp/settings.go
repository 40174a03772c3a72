package main

import (
	"cmp"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/oidc"
)

// settings contains all settings of this command; the yaml tags are the keys of the file.
type settings struct {
	flags  flags        // of the command line that the settings come from
	source source       // the file that they come from
	given  *settings    // as they were given, without defaults
	bound  net.Listener // at the port that the system chose; nil: none yet

	idp.Config    `yaml:",inline"`
	Listen        string `yaml:"listen"`
	Store         string `yaml:"store"`
	MetricsListen string `yaml:"metrics_listen"`
	LogLevel      string `yaml:"log_level"`
	LogFormat     string `yaml:"log_format"`
	TLSCert       string `yaml:"tls_cert"`
	TLSKey        string `yaml:"tls_key"`
	TLSSelfSigned bool   `yaml:"tls_self_signed"`
	ReadyFile     string `yaml:"ready_file"`
}

// settings merges the four sources and checks the result. Its error names the file and line, or the flag, of each
// problem.
func (f flags) settings() (settings, error) {
	f.readEnvironment()
	var source source
	s, err := source.read(f.Lookup("config").Value.String(), f.Lookup("config-json").Value.String())
	if err != nil {
		return s, err
	}
	problems := f.override(&s)
	s.flags, s.source = f, source
	return s.completed(problems...)
}

// completed returns the settings with defaults, and an error with these problems and those of the settings.
func (s settings) completed(problems ...idp.Problem) (settings, error) {
	given := s
	s.given = &given
	s.complete()
	return s, s.source.locate(append(problems, s.problems()...), s.flags)
}

// at returns the settings as if listen had been given as the address. Issuer, layouts and more follow from its port. A
// layout or a host of the back channel with port 0 gets this port too.
func (s settings) at(address string) (settings, error) {
	given := *s.given
	given.Listen = address
	if _, port, err := net.SplitHostPort(address); err == nil {
		given.Layouts = withPort(given.Layouts, port)
		given.BackChannelHosts = withPort(given.BackChannelHosts, port)
	}
	return given.completed()
}

// freePort matches port 0 in an address, which may have a path, and in a host.
var freePort = regexp.MustCompile(`:0(/|$)`)

// withPort returns the addresses with the port in the place of port 0; nil for nil.
func withPort(addresses []string, port string) []string {
	changed := slices.Clone(addresses)
	for i, address := range changed {
		changed[i] = freePort.ReplaceAllString(address, ":"+port+"$1")
	}
	return changed
}

// hasFreePort tells whether the system chooses the port to listen at.
func (s *settings) hasFreePort() bool {
	_, port, err := net.SplitHostPort(s.Listen)
	return err == nil && port == "0"
}

// complete fills in the defaults. Issuer and listen follow from each other where one is missing.
func (s *settings) complete() {
	if s.Issuer == "" && s.Listen != "" {
		if _, port, err := net.SplitHostPort(s.Listen); err == nil {
			s.Issuer = oidc.Origin(s.Scheme() + "://localhost:" + port) // without the scheme's own port
		}
	}
	if s.Issuer == "" && s.servesTLS() {
		s.Issuer = strings.Replace(idp.DefaultIssuer, "http:", "https:", 1)
	}
	s.Store = cmp.Or(s.Store, "memory")
	s.LogLevel = cmp.Or(s.LogLevel, "info")
	s.LogFormat = cmp.Or(s.LogFormat, "text")
	s.Config = s.Config.WithDefaults()
	s.Listen = cmp.Or(s.Listen, s.defaultListen())
}

// defaultListen is the address of a loopback issuer, or port 8080 of this machine for a proxy.
func (s *settings) defaultListen() string {
	u, err := url.Parse(s.Issuer)
	hasProxy := err == nil && u.Port() == "" && u.Scheme == "https" && !s.servesTLS()
	switch {
	case err != nil || !s.Loopback() || hasProxy:
		return "127.0.0.1:8080"
	case net.ParseIP(u.Hostname()) != nil:
		return net.JoinHostPort(u.Hostname(), portOf(u))
	}
	return net.JoinHostPort("127.0.0.1", portOf(u))
}

// portOf is the port of a URL, or the usual port of its scheme if the URL has none.
func portOf(u *url.URL) string {
	if u.Port() == "" && u.Scheme == "https" {
		return "443"
	}
	return cmp.Or(u.Port(), "80")
}

func (s *settings) servesTLS() bool { return s.TLSSelfSigned || s.TLSCert != "" }

// Scheme returns the URL scheme of the listener.
func (s *settings) Scheme() string {
	if s.servesTLS() {
		return "https"
	}
	return "http"
}

// problems returns the mistakes in the provider's configuration and in the settings of this command.
func (s *settings) problems() idp.Problems {
	problems, _ := idp.Validate(s.Config).(idp.Problems)
	when := oidc.Report(func(path, text string) { problems = append(problems, idp.Problem{Path: path, Text: text}) }).When
	_, _, err := net.SplitHostPort(s.Listen)
	when(s.hasFreePort() && s.given.Issuer != "", "issuer", "%q stands beside a port that the system chooses "+
		"(listen %s): remove one of the two; without issuer it is http://localhost and the port", s.Issuer, s.Listen)
	when(err != nil, "listen", "%q is no address: write HOST:PORT, such as 127.0.0.1:8080", s.Listen)
	_, _, err = net.SplitHostPort(s.MetricsListen)
	when(s.MetricsListen != "" && err != nil, "metrics_listen",
		"%q is no address: write HOST:PORT, such as 127.0.0.1:9464", s.MetricsListen)
	fault := s.storeFault()
	when(fault != nil, "store", "%v", fault)
	when(s.isRedis() && len(s.CookieKeys) == 0, "cookie_keys",
		"is missing: every provider on one Redis needs the same, to read the cookies of the others; "+
			"openssl rand -hex 32 makes one")
	folder, err := os.Stat(filepath.Dir(s.ReadyFile))
	when(s.ReadyFile != "" && (err != nil || !folder.IsDir()), "ready_file",
		"%q is in no folder: name a file in a folder that exists and that this user can write to", s.ReadyFile)
	when(s.level(new(slog.Level)) != nil, "log_level", "%q is none of debug, info, warn, error: write one of these",
		s.LogLevel)
	when(s.LogFormat != "text" && s.LogFormat != "json", "log_format", "%q is neither text nor json: write one of the two",
		s.LogFormat)
	when(s.TLSCert != "" && s.TLSKey == "", "tls_cert", "stands alone: it and tls_key belong together, give both or none")
	when(s.TLSCert == "" && s.TLSKey != "", "tls_key", "stands alone: it and tls_cert belong together, give both or none")
	when(s.TLSSelfSigned && s.TLSCert != "", "tls_self_signed", "stands beside tls_cert: keep one of the two")
	when(s.TLSSelfSigned && !s.Loopback() && strings.Contains(s.Issuer, "://"), "tls_self_signed",
		"no browser trusts a self-signed certificate of %s: use tls_cert and tls_key", s.Issuer)
	when(s.servesTLS() && strings.HasPrefix(s.Issuer, "http:"), "issuer", "%q is http, but TLS is on: write https",
		s.Issuer)
	when(strings.HasPrefix(s.Issuer, "https:") && s.Loopback() && !s.servesTLS() && s.isOwnPort(), "issuer",
		"%q is https, but nothing serves TLS at that port: add --tls-self-signed or --tls-cert and --tls-key", s.Issuer)
	return problems
}

// isOwnPort tells whether the issuer's port is the one listened at: then there is no proxy in front.
func (s *settings) isOwnPort() bool {
	u, err := url.Parse(s.Issuer)
	_, port, errListen := net.SplitHostPort(s.Listen)
	return err == nil && errListen == nil && portOf(u) == port
}

func (s *settings) level(level *slog.Level) error { return level.UnmarshalText([]byte(s.LogLevel)) }

// logger returns a logger that writes to stderr.
func (s *settings) logger() *slog.Logger {
	var level slog.Level
	_ = s.level(&level) // problems has checked it
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// reachableAt is the address at which a client on this machine reaches the provider.
func (s *settings) reachableAt() string {
	host, port, _ := net.SplitHostPort(s.Listen) // problems has read it
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, port)
}
