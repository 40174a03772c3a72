package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// odd are texts that YAML may read as something else. Each is a text where a text is expected.
var odd = []string{"0000", "007", "0x1F", "0o17", "0b11", "12_34", "1.10", "0123", "0042", "08", "+5", ".5",
	"-0", "1.", "1e3", "1.5e3", "99999999999999999999", ".inf", "-.Inf", ".nan", "yes", "no", "on",
	"off", "y", "true", "True",
	"FALSE", "2026-11-29", "2026-11-29T10:00:00Z", "12:30:45", "1,000", "=", "a  b", "$2b$12$x",
	"a#b", "01234567890123456789012345"}

// forms are ways to write a text.
var forms = []string{"%s", "%q", "'%s'", "%s   # a comment", "!!str %s", "&t %s", "|-\n        %s",
	">-\n        %s"}

func TestATextIsReadAsItIsWritten(t *testing.T) {
	for _, want := range odd {
		for _, form := range forms {
			text := fmt.Sprintf(form, want)
			name := fmt.Sprintf("a password %q", text)
			t.Run(name, func(t *testing.T) {
				s := mustSettings(t, "--config", file(t, strings.Replace(loopbackFile, "password: alice",
					"password: "+text, 1)))
				directory, err := users.New(s.Users)
				if err != nil {
					t.Fatal(err)
				}
				if _, ok, _ := directory.Authenticate(t.Context(), "alice", want); !ok {
					t.Errorf("the password is %q", s.Users[0].Password)
				}
			})
		}
	}
}

// texts are keys that take texts, and how to find what was read.
var textKeys = []struct {
	name, old, new string // new replaces old in loopbackFile; %s is the text
	get            func(settings) string
}{
	{"username", "username: alice", "username: %s", func(s settings) string { return s.Users[0].Username }},
	{"sub", "    password: alice", "    password: a\n    sub: %s",
		func(s settings) string { return s.Users[0].Sub }},
	{"client_id", "client_id: spa", "client_id: %s", func(s settings) string { return s.Clients[0].ClientID }},
	{"a scope", "clients:", "scopes: [{name: %s, description: d}]\nclients:",
		func(s settings) string { return s.Scopes[0].Name }},
	{"a claim of a scope", "clients:", "scopes: [{name: a, claims: [%s]}]\nclients:",
		func(s settings) string { return s.Scopes[0].Claims[0] }},
	{"an initial access token", "clients:", "registration:\n  initial_access_tokens: [first, %s]\nclients:",
		func(s settings) string { return oddSecret(s.Registration.InitialAccessTokens[1]) }},
	{"a value of default_acr_values", "    redirect_uris:", "    default_acr_values: [%s]\n    redirect_uris:",
		func(s settings) string { return s.Clients[0].DefaultACRValues[0] }},
	{"the key of a claim", "    password: alice", "    password: a\n    claims: {%s: x}",
		func(s settings) string {
			for name := range s.Users[0].Claims {
				return name
			}
			return ""
		}},
	{"the key of a claim inside another", "    password: alice", "    password: a\n    claims: {a: [{%s: x}]}",
		func(s settings) string {
			for name := range s.Users[0].Claims["a"].([]any)[0].(map[string]any) {
				return name
			}
			return ""
		}},
	{"client_secret", "token_endpoint_auth_method: none", "client_secret: %s",
		func(s settings) string { return oddSecret(s.Clients[0].ClientSecret) }},
}

// oddSecret returns the odd text that is the secret.
func oddSecret(secret oidc.Secret) string {
	return odd[slices.IndexFunc(odd, secret.Matches)]
}

func TestEachKeyOfATextTakesItAsItIsWritten(t *testing.T) {
	for _, row := range textKeys {
		for _, want := range []string{"0042", "0123", "0x1F", "12_34", "1.10", "yes", "true", "2026-11-29"} {
			t.Run(row.name+" "+want, func(t *testing.T) {
				text := strings.Replace(loopbackFile, row.old, fmt.Sprintf(row.new, want), 1)
				s, _ := parse(t, "--config",
					file(t, text)).settings() // not every text is a good acr value
				if got := row.get(s); got != want {
					t.Errorf("read as %q", got)
				}
			})
		}
	}
}

func TestJSONIsReadAsItIsWritten(t *testing.T) {
	s := mustSettings(t, "--config", file(t, `{
	"users": [{"username": "0042", "password": "007", "claims": {"zip": "01234", "employee": 42, "rate": 1.5,
		"emoji": "\ud83d\ude00\/"}}],
	"clients": [{"client_id": "1.10", "client_secret": "0123", "redirect_uris": ["http://localhost/"]}]
}`))
	claims := fmt.Sprint(s.Users[0].Claims)
	if s.Users[0].Username != "0042" || s.Users[0].Password != "007" || s.Clients[0].ClientID != "1.10" ||
		!s.Clients[0].ClientSecret.Matches("0123") || claims != "map[emoji:😀/ employee:42 rate:1.5 zip:01234]" {
		t.Errorf("read as %+v", s.Users[0])
	}
}

func TestANumberThatClaimsWouldWriteInAnotherFormIsRefused(t *testing.T) {
	for _, text := range []string{"01234", "0042", "007", "00", "08", "0x1F", "0o17", "0b11", "12_34",
		"1_000.5", "1.10",
		"1.", ".5", "+5", "+49", "-0", "1e3", "1.5e3", "1E+5", "99999999999999999999",
		"9007199254740993", ".inf", "-.Inf", ".nan",
		"1.0", "0.10"} {
		for _, form := range []string{"    claims:\n      zip: %s # HERE",
			"    claims: {a: {b: [x, %s]}} # HERE",
			"    claims:\n      zip: &z %s # HERE"} {
			claims := fmt.Sprintf(form, text)
			fileRow{"", "    password: alice", "    password: alice\n" + claims, text +
				" would change when it is read as a number: put quotes around it"}.check(t, loopbackFile)
		}
		fileRow{"", "",
			`    jwks: {keys: [{kty: oct, kid: ` + text + `}]} # HERE`, "put quotes around it"}.check(t, loopbackFile)
	}
}

func TestValuesOfClaimsKeepTheirTypes(t *testing.T) {
	for text, want := range map[string]any{
		"42": int64(42), "-7": int64(-7), "0": int64(0), "1.5": 1.5, "-0.25": -0.25, "9007199254740991": int64(1<<53 - 1),
		"true": true, "False": false, "null": nil, "~": nil, "": nil, "yes": "yes", "2026-11-29": "2026-11-29",
		"12:30:45": "12:30:45", `"0042"`: "0042", "'1.10'": "1.10", "!!str 0042": "0042",
		"|\n        0042": "0042\n",
		"1.2.3":           "1.2.3", "+49 30 1234": "+49 30 1234", `""`: "",
	} {
		t.Run(text, func(t *testing.T) {
			s := mustSettings(t, "--config", file(t, strings.Replace(loopbackFile, "    password: alice",
				"    password: alice\n    claims:\n      value: "+text, 1)))
			if got := s.Users[0].Claims["value"]; got != want {
				t.Errorf("got %#v; want %#v", got, want)
			}
		})
	}
}

// faultsOfTexts are texts that would be read as other texts, or not at all, without an error.
var faultsOfTexts = []fileRow{
	{"a text that means no value", "password: alice", "password: null # HERE", "put quotes around it"},
	{"a secret that means no value", "token_endpoint_auth_method: none", "client_secret: ~ # HERE",
		"put quotes around it"},
	{"a list with a text that means no value", "      - http://localhost:9090/cb",
		"      - null # HERE", "put quotes"},
	{"a tab in a text without quotes", "password: alice", "password: ali\tce # HERE",
		"put quotes around the text"},
	{"a tag of another program", "password: alice", "password: !secret alice # HERE",
		"!secret, which means nothing here"},
	{"a tag on a claim", "    password: alice",
		"    password: a\n    claims: {a: !!binary aGk=} # HERE", "!!binary"},
	{"an alias without an anchor", "password: alice", "password: *alice # HERE", "there is none before it"},
	{"an alias before its anchor", "password: alice", "password: *p # HERE\n    sub: &p alice",
		"there is none before it"},
	{"a number with a leading zero in place of a number", "", "    default_max_age: 010 # HERE",
		"a whole number"},
	{"an alias inside its own anchor", "    password: alice",
		"    password: a\n    claims: {a: &x [*x]} # HERE",
		"alias"},
	{"a claim twice", "    password: alice", "    password: a\n    claims:\n      a: 1\n      a: 2 # HERE",
		"is there twice"},
	{"a mark for a secret that was left out", "token_endpoint_auth_method: none",
		"client_secret: '[secret]' # HERE",
		"write the secret itself"},
}

func TestATextThatWouldBeAnotherIsRefused(t *testing.T) {
	for _, row := range faultsOfTexts {
		t.Run(row.name, func(t *testing.T) { row.check(t, loopbackFile) })
	}
}

// An alias that repeats aliases can stand for more values than a machine can hold.
func TestAFileThatGrowsByAliasesIsRefused(t *testing.T) {
	text := "    claims:\n      a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	for i := range 9 {
		a := fmt.Sprintf("*a%d", i)
		text += fmt.Sprintf("      a%d: &a%d [%s]\n",
			i+1, i+1, strings.Join([]string{a, a, a, a, a, a, a, a, a, a}, ", "))
	}
	name := file(t, strings.Replace(loopbackFile, "    password: alice\n", "    password: alice\n"+text, 1))
	_, err := parse(t, "--config", name).settings()
	if err == nil || !strings.Contains(err.Error(), "too many values") || strings.Contains(err.Error(), "\n") {
		t.Errorf("got %v; want one line about too many values", err)
	}
}
