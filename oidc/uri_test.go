package oidc_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

// set changes the member with this name in the JSON form of a client.
func set(c *oidc.Client, member, value string) {
	for i, field := range reflect.VisibleFields(reflect.TypeFor[oidc.Client]()) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != member {
			continue
		}
		to := reflect.ValueOf(c).Elem().Field(i)
		if to.Kind() == reflect.Slice {
			to.Set(reflect.ValueOf([]string{value}))
		} else {
			to.SetString(value)
		}
	}
}

// uriMembers are the members of a client whose names say that they hold URIs or origins.
func uriMembers() (names []string) {
	for _, field := range reflect.VisibleFields(reflect.TypeFor[oidc.Client]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if strings.HasSuffix(name, "_uri") || strings.HasSuffix(name, "_uris") || strings.HasSuffix(name, "_origins") {
			names = append(names, name)
		}
	}
	return names
}

// public makes the client a public one with a redirect URI on this machine.
func public(c *oidc.Client) {
	c.TokenEndpointAuthMethod, c.ClientSecret = oidc.AuthMethodNone, oidc.Secret{}
}

func TestEachURIOfAClientIsHeldToARule(t *testing.T) {
	members := uriMembers()
	if len(members) < 13 {
		t.Fatalf("only %v were found", members)
	}
	for _, member := range members {
		for _, bad := range []string{
			"javascript:alert(1)", "data:text/html,x", "relative", "https://", "https://app.test/a b",
			"https://user:password@app.test/cb", "https://app.test/\x01", "https://app.test:port/",
			`https://app.test\evil.test/`, "https://app.test;evil.test/", "https://app.test,evil.test/", "https://*.app.test/",
			"https://b%C3%BCcher.test/", "https://app..test/", "https://[fe80::1%25eth0]/", "https://app.test:0/",
			"https://app.test:65536/",
		} {
			client := goodClient()
			set(&client, member, bad)
			isOfMember := func(p oidc.Problem) bool { return strings.HasPrefix(p.Field, member) }
			for _, local := range []bool{true, false} {
				if problems := client.Problems(local); !slices.ContainsFunc(problems, isOfMember) {
					t.Errorf("%s %q is accepted: %v", member, bad, problems)
				}
			}
		}
	}
}

var uriRows = []struct {
	name, member, value string
	isPublic            bool
	elsewhere, here     string // a word of the problem, at a provider on a public host and on this machine; "": none
}{
	{"RFC 9700 §2.6 a redirect URI on another machine is not http", "redirect_uris", "http://app:3000/cb", false,
		"http is for loopback", ""},
	{"RFC 8252 §7.3 a redirect URI on a loopback address may be http", "redirect_uris", "http://127.0.0.1/cb",
		true, "", ""},
	{"RFC 3986 §3.2.2 a host name in Punycode, with a period at its end", "redirect_uris",
		"https://xn--bcher-kva.test./cb", true, "", ""},
	{"RFC 3986 §3.2.2 a host name with an umlaut", "redirect_uris", "https://bücher.test/cb", true, "xn--", "xn--"},
	{"RFC 3986 §3.2.3 a port of an app's own scheme", "allowed_cors_origins", "capacitor://localhost:99999", true,
		"65535", "65535"},
	{"RFC 6454 §4 a file has no origin", "allowed_cors_origins", "file://localhost", true, "no origin", "no origin"},
	{"RFC 3986 §3.2.2 an IPv6 address and a port", "redirect_uris", "https://[2001:db8::1]:65535/cb", true, "", ""},
	{"a machine whose name has an underscore", "jwks_uri", "https://app_server/jwks", true, "", ""},
	{"RFC 8252 §7.1 a scheme of an app", "redirect_uris", "com.example.app:/cb", true, "", ""},
	{"RFC 9700 §2.1 no * as the port", "redirect_uris", "http://localhost:*/cb", false, "any port", "any port"},
	{"RFC 9700 §2.1 no * at the end", "redirect_uris", "https://app.test/cb:*", false, "whole", "whole"},
	{"RFC 9700 §2.1 no * in the host", "redirect_uris", "https://*.app.test/cb", false, "whole", "whole"},
	{"RFC 9700 §2.1 no * in the path", "redirect_uris", "https://app.test/*", false, "whole", "whole"},
	{"RFC 9700 §2.1 no * in the query", "redirect_uris", "https://app.test/cb?x=*", false, "whole", "whole"},
	{"RP-Initiated Logout §3.1 no * in a post-logout URI", "post_logout_redirect_uris", "https://app.test/*", false,
		"whole", "whole"},
	{"RP-Initiated Logout §3.1 http is for confidential clients", "post_logout_redirect_uris", "http://app.test/", true,
		"confidential", ""},
	{"RP-Initiated Logout §3.1 a confidential client may have http", "post_logout_redirect_uris",
		"http://app.test/", false,
		"", ""},
	{"RP-Initiated Logout §3.1 http on this machine", "post_logout_redirect_uris", "http://localhost:9090/", true, "", ""},
	{"RP-Initiated Logout §3.1 a native app's scheme", "post_logout_redirect_uris", "com.example.app:/out", true, "", ""},
	{"Core §4 initiate_login_uri MUST use https", "initiate_login_uri", "http://localhost:3000/login", false, "https", ""},
	{"Core §4 initiate_login_uri on another machine", "initiate_login_uri", "http://app.test/login", false, "https",
		"loopback"},
	{"Core §4 initiate_login_uri with https", "initiate_login_uri", "https://app.test/login", false, "", ""},
	{"Registration §2 jwks_uri of a container", "jwks_uri", "http://app:3000/jwks", false, "https", ""},
	{"Registration §2 request_uris of a container", "request_uris", "http://app:3000/request", false, "https", ""},
	{"Registration §2 sector_identifier_uri of a container", "sector_identifier_uri", "http://app:3000/", false,
		"https", ""},
	{"Back-Channel Logout §2.2 http of a public client", "backchannel_logout_uri", "http://app:3000/out", true,
		"confidential", ""},
	{"Front-Channel Logout §2 the origin of a redirect URI", "frontchannel_logout_uri", "https://app.test/out#x", false,
		"fragment", "fragment"},
	{"RFC 6454 §6.2 the origin of an app", "allowed_cors_origins", "capacitor://localhost", true, "", ""},
	{"RFC 6454 §6.2 the origin of an Ionic app", "allowed_cors_origins", "ionic://localhost", true, "", ""},
	{"RFC 6454 §6.2 the origin of a Tauri app", "allowed_cors_origins", "tauri://localhost", true, "", ""},
	{"RFC 6454 §6.2 an origin with a port", "allowed_cors_origins", "https://app.test:8443", true, "", ""},
	{"RFC 6454 §6.2 an extension of a browser", "allowed_cors_origins", "chrome-extension://abcdef", true, "", ""},
	{"RFC 6454 §6.2 an http origin of another machine", "allowed_cors_origins", "http://app.test", true, "use https", ""},
	{"RFC 6454 §6.2 an http origin of this machine", "allowed_cors_origins", "http://localhost:5173", true, "", ""},
	{"RFC 6454 §6.2 an origin has no path", "allowed_cors_origins", "https://app.test/", true, "no origin", "no origin"},
	{"RFC 6454 §6.2 an app's origin has no path", "allowed_cors_origins", "capacitor://localhost/", true, "no origin",
		"no origin"},
	{"RFC 6454 §6.2 without the usual port", "allowed_cors_origins", "https://app.test:443", true, "usual", "usual"},
	{"RFC 6454 §6.2 in lower case", "allowed_cors_origins", "https://App.test", true, "lower case", "lower case"},
	{"Fetch §3.2 no origin of everybody", "allowed_cors_origins", "*", true, "whole", "whole"},
	{"Fetch §3.2 no origin of all subdomains", "allowed_cors_origins", "https://*.app.test", true, "whole", "whole"},
	{"Fetch §3.2 not the origin null", "allowed_cors_origins", "null", true, "no origin", "no origin"},
	{"Fetch §3.2 not every file of the device", "allowed_cors_origins", "file://", true, "no origin", "no origin"},
}

func TestWhichURIsAClientMayHave(t *testing.T) {
	for _, row := range uriRows {
		t.Run(row.name, func(t *testing.T) {
			for local, says := range map[bool]string{false: row.elsewhere, true: row.here} {
				client := goodClient()
				if row.isPublic {
					public(&client)
				}
				set(&client, row.member, row.value)
				problems := client.Problems(local)
				if says == "" && len(problems) > 0 || says != "" && (len(problems) != 1 ||
					!strings.HasPrefix(problems[0].Field, row.member) || !strings.Contains(problems[0].Text, says)) {
					t.Errorf("only this machine can reach the provider: %t; got %v; want one about %q", local, problems, says)
				}
			}
		})
	}
}
