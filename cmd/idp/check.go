package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/oidc"
)

type checkCommand struct{ flags }

// Run prints what serve would run with, or all that is wrong with it. It reads the files with certificates and keys,
// and opens neither the store nor the port.
func (c checkCommand) Run() error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if err := s.checkFiles(); err != nil {
		return err
	}
	printTable(s.summary()...)
	for _, warning := range s.warnings() {
		fmt.Fprintln(os.Stderr, "warning:", warning)
	}
	return nil
}

// checkFiles reads the files that serve reads: the certificate, and the signing keys that come from files.
func (s *settings) checkFiles() error {
	var problems idp.Problems
	if _, err := s.tlsConfig(); err != nil {
		problems = append(problems, idp.Problem{Path: "tls_cert",
			Text: err.Error() + "; name PEM files of a certificate and its key that this user can read"})
	}
	for i, spec := range s.SigningKeys {
		if spec.File == "" {
			continue
		}
		set, err := keys.New([]keys.Spec{spec})
		if err == nil {
			err = set.Ready(context.Background())
		}
		if err != nil {
			problems = append(problems, idp.Problem{Path: fmt.Sprintf("signing_keys[%d].file", i),
				Text: err.Error() + "; name a PEM file (PKCS #8) that this user can read"})
		}
	}
	return s.source.locate(problems, s.flags)
}

// summary has a row for each important setting, and no secret.
func (s *settings) summary() [][]string {
	var users, specs []string
	for _, user := range s.Users {
		users = append(users, user.Username)
	}
	for _, key := range s.SigningKeys {
		specs = append(specs, string(key.Alg)+" ("+cmp.Or(key.File, s.whereKeysLive())+")")
	}
	return [][]string{
		{"issuer", s.Issuer},
		{"listen", s.Listen + " (" + s.scheme() + ")"},
		{"development mode", onOff(s.Development())},
		{"store", withoutPassword(s.Store)},
		{"cookie_keys", s.whereCookieKeysLive()},
		{"signing_keys", strings.Join(specs, ", ") + ", " + s.whenKeysRotate()},
		{"session", fmt.Sprintf("idle %v, absolute %v", s.Session.Idle, s.Session.Absolute)},
		{"refresh tokens", fmt.Sprintf("idle %v, absolute %v", s.Refresh.Idle, s.Refresh.Absolute)},
		{"registration", s.Registration.Mode},
		{"users", strings.Join(users, ", ")},
		{"clients", strings.Join(describe(s.Clients), ", ")},
		{"metrics", s.whereMetricsAre()},
		{"log", s.LogLevel + ", " + s.LogFormat},
		{"limits", s.limits()},
	}
}

// whereMetricsAre returns the URLs of /metrics.
func (s *settings) whereMetricsAre() string {
	switch {
	case s.MetricsListen != "" && s.Loopback():
		return s.Issuer + "/metrics and http://" + s.MetricsListen + "/metrics"
	case s.MetricsListen != "":
		return "http://" + s.MetricsListen + "/metrics"
	case s.Loopback():
		return s.Issuer + "/metrics"
	}
	return "nowhere: metrics_listen is not set"
}

// limits has a line for each limit that is on, and the trusted proxies.
func (s *settings) limits() string {
	set := slices.DeleteFunc(s.Limits.List(),
		func(rate string) bool { return strings.HasSuffix(rate, " "+string(limit.Off)) })
	if len(set) == 0 {
		return "none"
	}
	set = append(set, "trusted_proxies "+cmp.Or(strings.Join(s.Limits.TrustedProxies, ", "), "none"))
	return strings.Join(set, "\n\t")
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// whereKeysLive says where a signing key without a file is.
func (s *settings) whereKeysLive() string {
	if s.Store == "memory" {
		return "made at start, gone with the process"
	}
	return "in the store, encrypted"
}

func (s *settings) whenKeysRotate() string {
	if s.RotateEvery == 0 {
		return "rotated when asked"
	}
	return fmt.Sprintf("rotated every %v", s.RotateEvery)
}

func (s *settings) whereCookieKeysLive() string {
	path, isFile := strings.CutPrefix(s.Store, "file:")
	switch {
	case len(s.CookieKeys) > 0:
		return fmt.Sprintf("%d configured", len(s.CookieKeys))
	case isFile:
		return "stored in " + path + ".secret, made at the first start"
	}
	return "random, gone with the process"
}

// withoutPassword hides the part of a store's URL before the @ and behind the ?.
func withoutPassword(store string) string {
	scheme, rest, isURL := strings.Cut(store, "://")
	if !isURL {
		return store
	}
	rest, query, _ := strings.Cut(rest, "?")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = "[hidden]" + rest[at:]
	}
	if query != "" {
		rest += "?[hidden]"
	}
	return scheme + "://" + rest
}

// hello prints the provider's addresses and how to sign in.
func hello(w io.Writer, s settings) {
	fmt.Fprintf(w, "Hush is the OpenID provider %s (listening at %s)\n", s.Issuer, s.Listen)
	fmt.Fprintf(w, "  metadata  %s/.well-known/openid-configuration\n", s.Issuer)
	fmt.Fprintf(w, "  sign in   %s/%s\n", s.Issuer, s.howToSignIn())
	if s.Development() {
		fmt.Fprintf(w, "  console   %s/console: what happens here and why, and how to make it fail\n", s.Issuer)
		for _, issuer := range s.Layouts {
			fmt.Fprintf(w, "  also at   %s\n", issuer)
		}
	}
	fmt.Fprintf(w, "  clients   %s\n", strings.Join(describe(s.Clients), ", "))
}

// howToSignIn names the users, in development mode only.
func (s *settings) howToSignIn() string {
	if !s.Development() {
		return ""
	}
	var names []string
	how := "by one click, or with the password, which is the name"
	for _, user := range s.Users {
		names = append(names, user.Username)
		if user.Password != user.Username {
			how = "by one click, or with the password"
		}
	}
	return " as " + strings.Join(names, ", ") + ": " + how
}

func describe(clients []oidc.Client) []string {
	var list []string
	for _, client := range clients {
		kind := "confidential"
		if client.Public() {
			kind = "public, PKCE"
		}
		list = append(list, fmt.Sprintf("%s (%s)", client.ClientID, kind))
	}
	return list
}
