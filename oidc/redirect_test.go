package oidc_test

import (
	"regexp"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// registered are redirect URIs of every kind; each matches itself, and almost nothing else.
var registered = []string{
	"https://app.test/cb",
	"https://app.test/cb?tenant=7",
	"https://app.test:8443/admin",
	"http://app.test/cb",
	"http://localhost:9090/cb",
	"http://localhost:9090/cb?tenant=7",
	"http://127.0.0.1/cb",
	"http://[::1]:9090/cb",
	"http://app.localhost:9090/app",
	"https://localhost:9090/secure",
	"com.example.app:/cb",
}

func TestEveryRegisteredURIMatchesItself(t *testing.T) {
	for _, uri := range registered {
		if !oidc.MatchRedirectURI([]string{uri}, uri) {
			t.Errorf("Core §3.1.2.1: %s does not match itself", uri)
		}
		if oidc.MatchRedirectURI(nil, uri) {
			t.Errorf("%s matches although nothing is registered", uri)
		}
	}
}

func TestAFreePortIsOneThatMatchingIgnores(t *testing.T) {
	port := regexp.MustCompile(`^([^:]*://[^/?]*?)(:[0-9]+)?([/?]|$)`)
	for _, uri := range registered {
		other := port.ReplaceAllString(uri, "$1:25174$3")
		got, want := oidc.HasFreePort(uri), other != uri && oidc.MatchRedirectURI([]string{uri}, other)
		if got != want {
			t.Errorf("RFC 8252 §7.3: HasFreePort(%s) = %v, and %s matches: %v", uri, got, other, want)
		}
	}
}

// Core §3.1.2.1: simple string comparison.
var nearMisses = []struct{ name, uri string }{
	{"path in other case", "https://app.test/CB"},
	{"host in other case", "https://APP.test/cb"},
	{"scheme in other case", "HTTPS://app.test/cb"},
	{"a trailing slash", "https://app.test/cb/"},
	{"a missing path", "https://app.test"},
	{"a longer path", "https://app.test/cb2"},
	{"a shorter path", "https://app.test/c"},
	{"a path below", "https://app.test/cb/evil"},
	{"an added query", "https://app.test/cb?x=1"},
	{"an empty query", "https://app.test/cb?"},
	{"a query with more", "https://app.test/cb?tenant=7&x=1"},
	{"a query with another value", "https://app.test/cb?tenant=8"},
	{"a fragment", "https://app.test/cb#x"},
	{"an empty fragment", "https://app.test/cb#"},
	{"a user name", "https://user@app.test/cb"},
	{"a user name that looks like the host", "https://app.test@evil.test/cb"},
	{"path traversal to the same place", "https://app.test/x/../cb"},
	{"path traversal away", "https://app.test/cb/../evil"},
	{"an encoded slash", "https://app.test%2Fcb"},
	{"an encoded slash in the path", "https://app.test/cb%2F"},
	{"an encoded letter", "https://app.test/%63b"},
	{"a doubled slash", "https://app.test//cb"},
	{"a host that begins alike", "https://app.test.evil.test/cb"},
	{"a host that ends alike", "https://evil-app.test/cb"},
	{"a subdomain", "https://www.app.test/cb"},
	{"a final dot of the host", "https://app.test./cb"},
	{"http for https", "http://app.test:8443/admin"},
	{"https for http", "https://127.0.0.1/cb"},
	{"the default port written out", "https://app.test:443/cb"},
	{"the default port of http written out", "http://app.test:80/cb"},
	{"a backslash before a user name", `https://app.test\@evil.test/cb`},
	{"a backslash for a slash", `https://app.test\cb`},
	{"a space before", " https://app.test/cb"},
	{"a space after", "https://app.test/cb "},
	{"a line break after", "https://app.test/cb\n"},
	{"NUL after", "https://app.test/cb\x00"},
	{"two URIs in one", "https://app.test/cb https://evil.test/"},
	{"without a scheme", "//app.test/cb"},
	{"nothing", ""},
	{"a native app's scheme with another path", "com.example.app:/other"},
	{"a native app's scheme with slashes", "com.example.app:///cb"},
	{"a native app's scheme with a host", "com.example.app://cb"},
}

func TestNoNearMissIsARegisteredURI(t *testing.T) {
	for _, row := range nearMisses {
		t.Run("Core §3.1.2.1 "+row.name, func(t *testing.T) {
			if oidc.MatchRedirectURI(registered, row.uri) {
				t.Errorf("%q matches", row.uri)
			}
		})
	}
}

// RFC 8252 §7.3: the port, and only the port, of a loopback http URI is free.
var loopbackPorts = []struct {
	name, uri string
	match     bool
}{
	{"localhost with another port", "http://localhost:5173/cb", true},
	{"localhost without a port", "http://localhost/cb", true},
	{"localhost with the least port", "http://localhost:1/cb", true},
	{"localhost with the greatest port", "http://localhost:65535/cb", true},
	{"localhost with another port and the registered query", "http://localhost:5173/cb?tenant=7", true},
	{"127.0.0.1 registered without a port", "http://127.0.0.1:5173/cb", true},
	{"[::1] with another port", "http://[::1]:5173/cb", true},
	{"[::1] without a port", "http://[::1]/cb", true},
	{"a name under localhost with another port", "http://app.localhost:5173/app", true},

	{"port 0", "http://localhost:0/cb", false},
	{"port 65536", "http://localhost:65536/cb", false},
	{"port 99999", "http://localhost:99999/cb", false},
	{"a port of twenty digits", "http://localhost:18446744073709551617/cb", false},
	{"an empty port", "http://localhost:/cb", false},
	{"a negative port", "http://localhost:-1/cb", false},
	{"a port with a sign", "http://localhost:+80/cb", false},
	{"a port that is no number", "http://localhost:9090x/cb", false},
	{"two ports", "http://localhost:9090:80/cb", false},
	{"https on localhost with another port", "https://localhost:5173/secure", false},
	{"https on localhost without a port", "https://localhost/secure", false},
	{"a real host with another port", "https://app.test:5173/admin", false},
	{"a real host without its port", "https://app.test/admin", false},
	{"an http host that is not loopback", "http://app.test:5173/cb", false},
	{"a native app's scheme with a port", "com.example.app://localhost:5173/cb", false},

	{"another path", "http://localhost:5173/evil", false},
	{"a trailing slash", "http://localhost:5173/cb/", false},
	{"an added query", "http://localhost:5173/cb?x=1", false},
	{"an empty query", "http://localhost:5173/cb?", false},
	{"a fragment", "http://localhost:5173/cb#x", false},
	{"path traversal", "http://localhost:5173/x/../cb", false},
	{"an encoded slash", "http://localhost:5173%2Fcb", false},
	{"host in other case", "http://LOCALHOST:5173/cb", false},
	{"scheme in other case", "HTTP://localhost:5173/cb", false},
	{"a final dot of the host", "http://localhost.:5173/cb", false},
	{"another loopback name", "http://other.localhost:5173/cb", false},
	{"a name under the registered one", "http://x.app.localhost:5173/app", false},
	{"another loopback address", "http://127.0.0.2:5173/cb", false},
	{"a short form of the address", "http://127.1:5173/cb", false},
	{"the address as a number", "http://2130706433:5173/cb", false},
	{"the long form of [::1]", "http://[0:0:0:0:0:0:0:1]:5173/cb", false},
	{"[::1] with a zone", "http://[::1%25lo]:5173/cb", false},
	{"127.0.0.1 mapped to IPv6", "http://[::ffff:127.0.0.1]:5173/cb", false},
	{"a host that begins with localhost", "http://localhost.evil.test:5173/cb", false},
	{"a host that ends with localhost", "http://evillocalhost:5173/cb", false},
	{"a user name", "http://user@localhost:5173/cb", false},
	{"a user name that looks like the host", "http://localhost:5173@evil.test/cb", false},
	{"an empty user name", "http://@localhost:5173/cb", false},
	{"a backslash before a user name", `http://localhost:5173\@evil.test/cb`, false},
	{"a backslash after a foreign host", `http://evil.test\@localhost:5173/cb`, false},
	{"a backslash in the host", `http://localhost\.evil.test:5173/cb`, false},
	{"a tab in the host", "http://local\thost:5173/cb", false},
	{"a full-width letter in the host", "http://ｌocalhost:5173/cb", false},
	{"the registered URI in the query of another", "http://evil.test/?http://localhost:5173/cb", false},
	{"the registered URI in the path of another", "http://evil.test//localhost:5173/cb", false},
}

func TestThePortOfALoopbackURIIsFree(t *testing.T) {
	for _, row := range loopbackPorts {
		t.Run("RFC 8252 §7.3 "+row.name, func(t *testing.T) {
			if got := oidc.MatchRedirectURI(registered, row.uri); got != row.match {
				t.Errorf("MatchRedirectURI(%q) = %t; want %t", row.uri, got, row.match)
			}
		})
	}
}

func TestIsLoopback(t *testing.T) {
	for _, row := range []struct {
		name, host string
		want       bool
	}{
		{"RFC 6761 §6.3 localhost", "localhost", true},
		{"RFC 6761 §6.3 a name under localhost", "app.demo.localhost", true},
		{"RFC 6761 §6.3 in any case", "App.LocalHost", true},
		{"RFC 6761 §6.3 with a final dot", "localhost.", true},
		{"RFC 1122 §3.2.1.3 127.0.0.1", "127.0.0.1", true},
		{"RFC 1122 §3.2.1.3 the last of 127.0.0.0/8", "127.255.255.255", true},
		{"RFC 4291 §2.5.3 ::1", "::1", true},
		{"RFC 4291 §2.5.3 ::1 in its long form", "0:0:0:0:0:0:0:1", true},
		{"the address after 127.0.0.0/8", "128.0.0.0", false},
		{"the address before 127.0.0.0/8", "126.255.255.255", false},
		{"every address", "0.0.0.0", false},
		{"every IPv6 address", "::", false},
		{"a private address", "192.168.0.1", false},
		{"a name that begins with an address", "127.0.0.1.evil.test", false},
		{"a name that begins with localhost", "localhost.evil.test", false},
		{"a name that ends with localhost", "evillocalhost", false},
		{"localhost.localdomain is a name like any other", "localhost.localdomain", false},
		{"a short form that browsers read and resolvers may not", "127.1", false},
		{"brackets are the URI's", "[::1]", false},
		{"a real host", "login.example.com", false},
		{"no host", "", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.IsLoopback(row.host); got != row.want {
				t.Errorf("IsLoopback(%q) = %t; want %t", row.host, got, row.want)
			}
		})
	}
}

func TestOrigin(t *testing.T) {
	for _, row := range []struct{ name, uri, want string }{
		{"RFC 6454 §6.1 scheme and host", "https://app.test/cb?x=1#y", "https://app.test"},
		{"RFC 6454 §6.1 a port stays", "http://localhost:9090/cb", "http://localhost:9090"},
		{"RFC 6454 §6.1 the default port of https goes", "https://app.test:443/cb", "https://app.test"},
		{"RFC 6454 §6.1 the default port of http goes", "http://app.test:80/cb", "http://app.test"},
		{"RFC 6454 §6.1 the default port of http stays under https", "https://app.test:80/cb", "https://app.test:80"},
		{"RFC 6454 §4 host and scheme in lower case", "HTTPS://App.Test/CB", "https://app.test"},
		{"RFC 6454 §4 a user name is no part of it", "https://user:pw@app.test/cb", "https://app.test"},
		{"RFC 6454 §6.1 IPv6 in brackets", "http://[::1]:9090/cb", "http://[::1]:9090"},
		{"RFC 3986 §6.2.3 an empty port is the default one", "http://localhost:/cb", "http://localhost"},
		{"a port without a host", "https://:8443/cb", ""},
		{"a native app's scheme", "com.example.app:/cb", ""},
		{"a native app's scheme with a host", "com.example.app://cb", ""},
		{"no host", "https:///cb", ""},
		{"an opaque URI", "https:app.test", ""},
		{"data", "data:text/html,x", ""},
		{"without a scheme", "//app.test/cb", ""},
		{"no URI", "http://app.test:port/", ""},
		{"nothing", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.Origin(row.uri); got != row.want {
				t.Errorf("Origin(%q) = %q; want %q", row.uri, got, row.want)
			}
		})
	}
}
