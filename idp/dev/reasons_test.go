package dev_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/dev"
	"github.com/hush-idp/hush/oidc"
)

var update = flag.Bool("update", false, "write docs/reasons.md and the OpenAPI document anew")

// codes are the constants of oidc/reason.go.
func codes(t *testing.T) []oidc.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../oidc/reason.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var found []oidc.Reason
	for node := range ast.Preorder(file) {
		spec, ok := node.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			continue
		}
		if value, ok := spec.Values[0].(*ast.BasicLit); ok {
			code, err := strconv.Unquote(value.Value)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, oidc.Reason(code))
		}
	}
	if len(found) < 20 {
		t.Fatalf("only %d reason codes were found", len(found))
	}
	return found
}

func TestEveryReasonIsExplainedOnce(t *testing.T) {
	var explained []oidc.Reason
	for _, reason := range dev.AllReasons() {
		if slices.Contains(explained, reason.Code) {
			t.Errorf("%s is explained twice", reason.Code)
		}
		explained = append(explained, reason.Code)
	}
	want := codes(t)
	slices.Sort(want)
	slices.Sort(explained)
	if diff := cmp.Diff(want, explained); diff != "" {
		t.Errorf("the codes of oidc/reason.go and those explained (-want +got):\n%s", diff)
	}
}

func TestByCode(t *testing.T) {
	for _, code := range codes(t) {
		if reason, ok := dev.ReasonByCode(code); !ok || reason.Code != code {
			t.Errorf("ByCode(%s) = %s, %v", code, reason.Code, ok)
		}
	}
	if _, ok := dev.ReasonByCode("session.invented"); ok {
		t.Error("an unknown code is explained")
	}
}

func TestEachExplanationIsWhole(t *testing.T) {
	for _, reason := range dev.AllReasons() {
		if reason.Title == "" || strings.HasSuffix(reason.Title, ".") {
			t.Errorf("%s: the title %q is no short sentence without a full stop", reason.Code, reason.Title)
		}
		for name, text := range map[string]string{
			"Happened": reason.Happened, "HowWeKnow": reason.HowWeKnow, "HowSure": reason.HowSure, "WhatToDo": reason.WhatToDo,
		} {
			if !strings.HasSuffix(text, ".") || strings.ContainsAny(text, "\n\t") || strings.Contains(text, "  ") {
				t.Errorf("%s: %s is not one paragraph: %q", reason.Code, name, text)
			}
			if strings.Count(text, "`")%2 != 0 {
				t.Errorf("%s: in %s a ` has no other: %q", reason.Code, name, text)
			}
		}
	}
}

// mentioned is what looks like a reason code: `session.none`. Files, settings and methods have dots too.
var mentioned = regexp.MustCompile("`((?:session|cookie|hint|consent|account|client|redirect|request|pkce|code|token|" +
	"origin|cors|scope|grant_type|registration|server|renewal|callback|page|clock|fault)\\.[a-z_]+)`")

func TestAReasonThatATextMentionsExists(t *testing.T) {
	settings := []string{"session.idle", "session.absolute"} // of the configuration
	for _, match := range mentioned.FindAllStringSubmatch(dev.ReasonsMarkdown(), -1) {
		if _, ok := dev.ReasonByCode(oidc.Reason(match[1])); !ok && !slices.Contains(settings, match[1]) {
			t.Errorf("`%s` is no reason", match[1])
		}
	}
}

func TestTheDocsAreGenerated(t *testing.T) {
	const name = "../../docs/reasons.md"
	if *update {
		if err := os.WriteFile(name, []byte(dev.ReasonsMarkdown()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	docs, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(dev.ReasonsMarkdown(), string(docs)); diff != "" {
		t.Errorf("docs/reasons.md differs from idp/dev/reasons; run go test ./idp/dev -update (-want +got):\n%s",
			diff)
	}
}

// file reads a piece of a configuration file, as cmd/idp does.
func file(t *testing.T, text string) []oidc.Client {
	t.Helper()
	var read struct {
		BuiltIn bool          `yaml:"built_in"`
		Clients []oidc.Client `yaml:"clients"`
	}
	if err := yaml.UnmarshalWithOptions([]byte(text), &read, yaml.DisallowUnknownField()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return read.Clients
}

func TestTheYAMLMakesTheClientKnown(t *testing.T) {
	for _, row := range []struct{ clientID, redirectURI, want string }{
		{"my-app", "http://localhost:5173/callback", "http://localhost:5173/callback"},
		{"s6BhdRkqt3", "https://app.example.com/cb?tenant=7&x=%20", "https://app.example.com/cb?tenant=7&x=%20"},
		{"my-app", "com.example.app:/cb", "com.example.app:/cb"},
		{"my-app", "", "http://localhost:5173/callback"},
		{"0123", "http://[::1]:9090/cb", "http://[::1]:9090/cb"}, // a number, and a bracket
		{"null", "http://localhost/a", "http://localhost/a"},
		{"No", "http://localhost/a", "http://localhost/a"},
		{"my app: #1 'of' \"two\"", "http://localhost/a", "http://localhost/a"},
	} {
		clients := file(t, dev.ClientYAML(row.clientID, row.redirectURI))
		want := []oidc.Client{{ClientID: row.clientID, TokenEndpointAuthMethod: "none", RedirectURIs: []string{row.want},
			PostLogoutRedirectURIs: oidc.SignOutAddresses(row.want), FirstParty: true}}
		if diff := cmp.Diff(want, clients, cmp.AllowUnexported(oidc.Secret{})); diff != "" {
			t.Errorf("the clients of the file (-want +got):\n%s", diff)
			continue
		}
		if problems := clients[0].Problems(false); len(problems) > 0 {
			t.Errorf("the provider would not start with it: %v", problems)
		}
	}
}

func TestAHostileClientIDAddsNothingToTheYAML(t *testing.T) {
	for _, hostile := range []string{
		"x\n  - client_id: evil", "x # y", "*alias", "&anchor", "!!binary x", "{a: b}", "- x", "'", `"`, `\`, "%", "@", "`",
		"x:", "x: y",
		"\x00\x1b\x7f", "\u2028\u0085ü", "", " ", "~",
	} {
		clients := file(t, dev.ClientYAML(hostile, "http://localhost/"+hostile))
		if len(clients) != 1 || clients[0].ClientID != hostile || clients[0].RedirectURIs[0] != "http://localhost/"+hostile {
			t.Errorf("%q became %+v", hostile, clients)
		}
	}
}
