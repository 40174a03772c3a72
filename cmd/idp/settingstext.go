package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/users"
)

// hello prints the provider's addresses and how to sign in. It names the users in development mode only. With a ready
// file or a log in JSON, programs read it: it is the JSON of ready then.
func hello(w io.Writer, s settings) error {
	if s.ReadyFile != "" || s.LogFormat == "json" {
		_, err := w.Write(s.ready())
		return err
	}
	var text strings.Builder
	line := func(name, format string, values ...any) {
		fmt.Fprintf(&text, "  %-9s %s\n", name, fmt.Sprintf(format, values...))
	}
	fmt.Fprintf(&text, "Hush is the OpenID provider %s (listening at %s)\n", s.Issuer, s.Listen)
	line("metadata", "%s/.well-known/openid-configuration", s.Issuer)
	if !s.Development() {
		line("sign in", "%s/", s.Issuer)
	} else {
		password := ""
		if s.passwordsAreNames() {
			password = ", which is the name"
		}
		line("sign in", "%s/ as %s: by one click, or with the password%s", s.Issuer, s.usernames(), password)
		line("console", "%s/console: what happens here and why, and how to make it fail", s.Issuer)
		for _, layout := range s.Layouts {
			line("also at", "%s", layout)
		}
	}
	line("clients", "%s", s.clientsText())
	_, err := io.WriteString(w, text.String()) // in one write: a program that reads it sees all or nothing
	return err
}

// rows are the settings that check prints: a name, and its value in words.
func (s *settings) rows() [][2]string {
	return [][2]string{
		{"issuer", s.Issuer},
		{"listen", fmt.Sprintf("%s (%s)", s.Listen, s.Scheme())},
		{"development mode", choose(s.Development(), "on", "off")},
		{"store", s.storeWithoutPassword()},
		{"cookie_keys", s.cookieKeysText()},
		{"signing_keys", s.signingKeysText()},
		{"session", fmt.Sprintf("idle %s, absolute %s", s.Session.Idle, s.Session.Absolute)},
		{"refresh tokens", fmt.Sprintf("idle %s, absolute %s", s.Refresh.Idle, s.Refresh.Absolute)},
		{"registration", s.Registration.Mode},
		{"users", s.usernames()},
		{"clients", s.clientsText()},
		{"metrics", s.metricsText()},
		{"log", s.LogLevel + ", " + s.LogFormat},
		{"limits", s.limitsText()},
	}
}

func choose(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

func (s *settings) cookieKeysText() string {
	switch {
	case len(s.CookieKeys) > 0:
		return fmt.Sprintf("%d configured", len(s.CookieKeys))
	case s.StoreFile() != "":
		return "stored in " + s.StoreFile() + ".secret, made at the first start"
	}
	return "random, gone with the process"
}

func (s *settings) signingKeysText() string {
	var texts []string
	for _, key := range s.SigningKeys {
		place := choose(s.Store == "memory", "made at start, gone with the process", "in the store, encrypted")
		if key.File != "" {
			place = key.File
		}
		texts = append(texts, fmt.Sprintf("%s (%s)", key.Alg, place))
	}
	rotation := "rotated when asked"
	if s.RotateEvery > 0 {
		rotation = "rotated every " + s.RotateEvery.String()
	}
	return strings.Join(append(texts, rotation), ", ")
}

func (s *settings) usernames() string {
	names := make([]string, len(s.Users))
	for i, user := range s.Users {
		names[i] = user.Username
	}
	return strings.Join(names, ", ")
}

func (s *settings) clientsText() string {
	texts := make([]string, len(s.Clients))
	for i, client := range s.Clients {
		texts[i] = fmt.Sprintf("%s (%s)", client.ClientID, choose(client.Public(), "public, PKCE", "confidential"))
	}
	return strings.Join(texts, ", ")
}

func (s *settings) metricsText() string {
	var places []string
	if s.Loopback() {
		places = append(places, s.Issuer+endpoint.PathMetrics)
	}
	if s.MetricsListen != "" {
		places = append(places, "http://"+s.MetricsListen+endpoint.PathMetrics)
	}
	if len(places) == 0 {
		return "nowhere: metrics_listen is not set"
	}
	return strings.Join(places, " and ")
}

// limitsText has a line for each rate, and one for the proxies; each line after the first begins with an empty cell.
func (s *settings) limitsText() string {
	lines := s.activeLimits()
	if len(lines) == 0 {
		return "none"
	}
	proxies := cmp.Or(strings.Join(s.Limits.TrustedProxies, ", "), "none")
	return strings.Join(append(lines, "trusted_proxies "+proxies), "\n\t")
}

// activeLimits returns each rate that limits something, with its path.
func (s *settings) activeLimits() []string {
	return slices.DeleteFunc(s.Limits.List(),
		func(rate string) bool { return strings.HasSuffix(rate, " "+string(limit.Off)) })
}

// storeWithoutPassword is the name of the store; the part of a URL before the @ and behind the ? is hidden.
func (s *settings) storeWithoutPassword() string {
	scheme, rest, isURL := strings.Cut(s.Store, "://")
	if !isURL {
		return s.Store
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

// passwordsAreNames tells whether the password of every user is the username.
func (s *settings) passwordsAreNames() bool {
	return !slices.ContainsFunc(s.Users, func(u users.User) bool { return u.Password != u.Username })
}
