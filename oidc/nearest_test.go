package oidc_test

import (
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// differences are URIs that are not registered, with the registered one that was meant and what is wrong.
var differences = []struct{ name, uri, nearest, difference string }{
	{"another path", "https://app.test/silent.html", "https://app.test/cb", "path: /silent.html instead of /cb"},
	{"no path", "https://app.test", "https://app.test/cb", "path: /cb is missing"},
	{"a final slash", "https://app.test/cb/", "https://app.test/cb", "path: a final slash too much"},
	{
		"case of the path", "https://app.test/CB", "https://app.test/cb",
		"path: /CB instead of /cb (upper and lower case count)",
	},
	{
		"case of the host", "https://APP.test/cb", "https://app.test/cb",
		"host: APP.test instead of app.test (upper and lower case count)",
	},
	{
		"case of the scheme", "HTTPS://app.test/cb", "https://app.test/cb",
		"scheme: HTTPS instead of https (upper and lower case count)",
	},
	{"an encoded letter", "https://app.test/%63b", "https://app.test/cb", "path: /%63b instead of /cb"},
	{"the default port", "https://app.test:443/cb", "https://app.test/cb", "port: :443 too much"},
	{"another port", "https://app.test:9443/admin", "https://app.test:8443/admin", "port: :9443 instead of :8443"},
	{"a query too much", "https://app.test/cb?x=1", "https://app.test/cb", "query: ?x=1 too much"},
	{"an empty query", "https://app.test/cb?", "https://app.test/cb", "query: ? too much"},
	{
		"another value in the query", "https://app.test/cb?tenant=8", "https://app.test/cb?tenant=7",
		"query: ?tenant=8 instead of ?tenant=7",
	},
	{"a fragment", "https://app.test/cb#x", "https://app.test/cb", "fragment: #x too much"},
	{"an empty fragment", "https://app.test/cb#", "https://app.test/cb", "fragment: # too much"},
	{
		"a user name that looks like the host", "https://app.test@evil.test/cb", "https://app.test/cb",
		"user: app.test@ too much; host: evil.test instead of app.test",
	},
	{"https on a loopback host", "https://localhost:9090/cb", "http://localhost:9090/cb", "scheme: https instead of http"},
	{
		"on a loopback host the port is no difference", "http://localhost:5173/callback", "http://localhost:9090/cb",
		"path: /callback instead of /cb",
	},
	{
		"another loopback host, another port", "http://127.0.0.2:5173/cb", "http://127.0.0.1/cb",
		"host: 127.0.0.2 instead of 127.0.0.1",
	},
	{
		"a port that is none counts even there", "http://[::1]:99999/cb", "http://[::1]:9090/cb",
		"port: :99999 instead of :9090",
	},
	{"a native app's path", "com.example.app:/other", "com.example.app:/cb", "path: /other instead of /cb"},
	{
		"a native app's host", "com.example.app://cb", "com.example.app:/cb",
		"slashes: // too much; host: cb too much; path: /cb is missing",
	},
	{"slashes without a host", "com.example.app:///cb", "com.example.app:/cb", "slashes: // too much"},
	{"a space after it", "https://app.test/cb ", "https://app.test/cb", `path: "/cb " instead of /cb`},
	{
		"a line break cannot begin another line of the message", "https://app.test/cb\nX: y", "https://app.test/cb",
		`path: "/cb\nX: y" instead of /cb`,
	},
}

func TestNearestSaysWhatIsDifferent(t *testing.T) {
	for _, row := range differences {
		t.Run(row.name, func(t *testing.T) {
			nearest, difference := oidc.Nearest(registered, row.uri)
			if nearest != row.nearest || difference != row.difference {
				t.Errorf("Nearest(%q) =\n  %s\n  %s; want\n  %s\n  %s", row.uri, nearest, difference, row.nearest, row.difference)
			}
		})
	}
}

func TestWhatIsMissing(t *testing.T) {
	for _, row := range []struct{ registered, uri, difference string }{
		{"https://app.test/cb/", "https://app.test/cb", "path: the final slash is missing"},
		{"https://app.test:8443/cb", "https://app.test/cb", "port: :8443 is missing"},
		{"https://app.test/cb?tenant=7", "https://app.test/cb", "query: ?tenant=7 is missing"},
	} {
		if _, difference := oidc.Nearest([]string{row.registered}, row.uri); difference != row.difference {
			t.Errorf("Nearest(%s, %s) says %q; want %q", row.registered, row.uri, difference, row.difference)
		}
	}
}

// Fewer parts that differ count more than fewer letters: a path is mistyped more often than a host.
func TestNearestPrefersTheSameHost(t *testing.T) {
	uris := []string{"https://b.test/callback", "https://a.test/a/completely/different/place"}
	if nearest, _ := oidc.Nearest(uris, "https://a.test/callbackk"); nearest != uris[1] {
		t.Errorf("nearest = %s; want the one on the same host", nearest)
	}
}

func TestNearestOfEqualOnesIsTheFirst(t *testing.T) {
	uris := []string{"https://a.test/1", "https://a.test/2"}
	if nearest, _ := oidc.Nearest(uris, "https://a.test/3"); nearest != uris[0] {
		t.Errorf("nearest = %s; want the one registered first", nearest)
	}
}

func TestNearestOfNothing(t *testing.T) {
	if nearest, difference := oidc.Nearest(nil, "https://app.test/cb"); nearest != "" || difference != "" {
		t.Errorf("Nearest = %q, %q; want nothing where nothing is registered", nearest, difference)
	}
}

// What Nearest says and what MatchRedirectURI does must not part.
func TestThereIsADifferenceWhereThereIsNoMatch(t *testing.T) {
	for _, uri := range registered {
		if nearest, difference := oidc.Nearest(registered, uri); difference != "" ||
			!oidc.MatchRedirectURI([]string{nearest}, uri) {
			t.Errorf("%s matches, but Nearest says %q", uri, difference)
		}
	}
	for _, row := range nearMisses {
		if _, difference := oidc.Nearest(registered, row.uri); difference == "" {
			t.Errorf("%s: %q does not match, but Nearest sees no difference", row.name, row.uri)
		}
	}
}

func TestAHugeURIStaysASmallMessage(t *testing.T) {
	huge := "https://app.test/" + strings.Repeat("x", 1<<16) + "?" + strings.Repeat("ü", 1<<15)
	if _, difference := oidc.Nearest(registered, huge); len(difference) > 600 {
		t.Errorf("the difference has %d bytes", len(difference))
	}
}

// FuzzNearest: a difference is seen exactly where there is no match, whatever the URI is.
func FuzzNearest(f *testing.F) {
	for _, uri := range registered {
		f.Add(uri)
	}
	for _, row := range nearMisses {
		f.Add(row.uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		_, difference := oidc.Nearest(registered, uri)
		if matches := oidc.MatchRedirectURI(registered, uri); matches != (difference == "") {
			t.Errorf("%q: matches %v, difference %q", uri, matches, difference)
		}
	})
}
