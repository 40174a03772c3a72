package oidc_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/oidc"
)

const plainSecret = "a-secret-of-a-client"

func TestSecretMatches(t *testing.T) {
	for _, row := range []struct {
		name, configured, given string
		want                    bool
	}{
		{"RFC 6749 §2.3.1 the secret itself", plainSecret, plainSecret, true},
		{"another secret", plainSecret, "another", false},
		{"a part of the secret", plainSecret, plainSecret[:5], false},
		{"the secret and more", plainSecret, plainSecret + "x", false},
		{"the secret in other case", plainSecret, strings.ToUpper(plainSecret), false},
		{"what is printed of it", plainSecret, oidc.NewSecret(plainSecret).String(), false},
		{"nothing given", plainSecret, "", false},
		{"no secret matches nothing", "", "", false},
		{"no secret matches no guess", "", plainSecret, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := oidc.NewSecret(row.configured).Matches(row.given); got != row.want {
				t.Errorf("NewSecret(%q).Matches(%q) = %t; want %t", row.configured, row.given, got, row.want)
			}
		})
	}
}

func TestSecretIsZero(t *testing.T) {
	if !oidc.NewSecret("").IsZero() || oidc.NewSecret(plainSecret).IsZero() {
		t.Error("IsZero is true of no secret, and of nothing else")
	}
}

func TestASecretIsReadFromAnyNotation(t *testing.T) {
	for _, row := range []struct{ name, yaml string }{
		{"plain", "client_secret: " + plainSecret},
		{"in double quotes", `client_secret: "` + plainSecret + `"`},
		{"in single quotes", "client_secret: '" + plainSecret + "'"},
		{"folded", "client_secret: >-\n  " + plainSecret + "\n"},
		{"with a comment behind", "client_secret: " + plainSecret + " # rotate in May"},
	} {
		t.Run(row.name, func(t *testing.T) {
			var client oidc.Client
			if err := yaml.Unmarshal([]byte(row.yaml), &client); err != nil {
				t.Fatal(err)
			}
			if !client.ClientSecret.Matches(plainSecret) {
				t.Errorf("%q does not give the secret", row.yaml)
			}
		})
	}
}

func TestADigitsOnlySecretKeepsItsZeros(t *testing.T) {
	var client oidc.Client
	if err := yaml.Unmarshal([]byte("client_secret: 00123456789012345678901234567890"), &client); err != nil {
		t.Fatal(err)
	}
	if !client.ClientSecret.Matches("00123456789012345678901234567890") {
		t.Error("a secret of digits is not read as it stands")
	}
}

// printings are all the ways in which a value ends in a log by accident.
var printings = map[string]func(any) string{
	"fmt %v":    func(v any) string { return fmt.Sprintf("%v", v) },
	"fmt %+v":   func(v any) string { return fmt.Sprintf("%+v", v) },
	"fmt %#v":   func(v any) string { return fmt.Sprintf("%#v", v) },
	"fmt %d":    func(v any) string { return fmt.Sprintf("%d", v) },
	"fmt %x":    func(v any) string { return fmt.Sprintf("%x", v) },
	"slog text": func(v any) string { return logged(v, false) },
	"slog json": func(v any) string { return logged(v, true) },
	"json":      func(v any) string { return must(json.Marshal(v)) },
	"yaml":      func(v any) string { return must(yaml.Marshal(v)) },
}

func TestASecretIsNeverPrinted(t *testing.T) {
	secret := oidc.NewSecret(plainSecret)
	client := oidc.Client{ClientID: "web", ClientSecret: secret}
	for name, print := range printings {
		t.Run(name, func(t *testing.T) {
			for _, value := range []any{secret, &secret, client, &client, []oidc.Client{client}} {
				if text := print(value); tells(text) || !strings.Contains(text, "[secret]") {
					t.Errorf("%T is printed as %s; want [secret] in its place", value, text)
				}
			}
		})
	}
}

// tells finds the secret or the beginning of its hash in text, in the notations of Go.
func tells(text string) bool {
	sum := sha256.Sum256([]byte(plainSecret))
	start := sum[:4]
	for _, sign := range []string{
		plainSecret, hex.EncodeToString(
			start), strings.Trim(fmt.Sprint(start), "[]"), strings.Trim(fmt.Sprintf("%#v", start), "[]byte{}"),
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

func logged(v any, asJSON bool) string {
	var text bytes.Buffer
	if asJSON {
		slog.New(slog.NewJSONHandler(&text, nil)).Info("m", "v", v)
	} else {
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
	}
	return text.String()
}

func must(text []byte, err error) string {
	if err != nil {
		panic(err)
	}
	return string(text)
}
