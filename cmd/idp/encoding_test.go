package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

func inUTF16(text string, big bool) string {
	var out bytes.Buffer
	for _, unit := range utf16.Encode([]rune("\ufeff" + text)) {
		high, low := byte(unit>>8), byte(unit)
		if !big {
			high, low = low, high
		}
		out.Write([]byte{high, low})
	}
	return out.String()
}

func TestEncodingsOfTheFile(t *testing.T) {
	umlaut := strings.Replace(loopbackFile, "password: alice", "password: Zoë 😀", 1)
	for name, text := range map[string]string{
		"UTF-8":                        umlaut,
		"UTF-8 with a byte order mark": "\ufeff" + umlaut,
		"UTF-16, little-endian":        inUTF16(umlaut, false),
		"UTF-16, big-endian":           inUTF16(umlaut, true),
		"lines that end with CRLF":     strings.ReplaceAll(umlaut, "\n", "\r\n"),
		"a byte order mark and CRLF":   "\ufeff" + strings.ReplaceAll(umlaut, "\n", "\r\n"),
		"a directive of YAML":          "%YAML 1.2\n---\n" + umlaut,
		"JSON with a byte order mark":  "\ufeff" + `{"users": [{"username": "alice", "password": "Zoë 😀"}]}`,
		"JSON in UTF-16, indented by tabs": inUTF16("{\n\t\"users\": [\n\t\t{\"username\": \"a\", "+
			"\"password\": \"Zoë 😀\"}]}", false),
	} {
		t.Run(name, func(t *testing.T) {
			if got := mustSettings(t, "--config", file(t, text)).Users[0].Password; got != "Zoë 😀" {
				t.Errorf("the password is read as %q", got)
			}
		})
	}
	for name, text := range map[string]string{
		"Windows-1252":          strings.Replace(umlaut, "Zoë 😀", "Zo\xeb # HERE", 1),
		"UTF-16 without a mark": strings.TrimPrefix(inUTF16("issuer: http://localhost:1 # HERE\n", true), "\xfe\xff"),
		"a replaced character":  strings.Replace(umlaut, "Zoë", "Zo\ufffd", 1),
		"half a character":      inUTF16(umlaut, false) + "\x3d\xd8",
	} {
		t.Run(name, func(t *testing.T) {
			name := file(t, text)
			_, err := parse(t, "--config", name).settings()
			if err == nil || !strings.HasPrefix(err.Error(), name+":") || !strings.Contains(err.Error(), "UTF-8") {
				t.Errorf("got %v; want an error that names the file and UTF-8", err)
			}
		})
	}
}

func TestMergedGroupsOfKeys(t *testing.T) {
	const base = "x-base: &base {client_id: a, client_name: base, token_endpoint_auth_method: none, " +
		"redirect_uris: [http://localhost/]}\nx-name: &name {client_name: other, client_uri: http://localhost/}\nclients:\n"
	for name, row := range map[string]struct{ text, want string }{
		"a key of its own behind the merge": {"  - <<: *base\n    client_id: b\n", "b base"},
		"a key of its own before the merge": {"  - client_id: b\n    <<: *base\n", "b base"},
		"no key of its own":                 {"  - <<: *base\n", "a base"},
		"a list: the first of two wins":     {"  - <<: [*name, *base]\n    client_id: b\n", "b other"},
		"a list in the other order":         {"  - <<: [*base, *name]\n    client_id: b\n", "b base"},
		"a group that is written there":     {"  - <<: {client_name: here}\n    <<: *base\n", "a here"},
		"a group that merges another":       {"  - <<: &more {<<: *base, client_name: more}\n    client_id: b\n", "b more"},
		"a list in place of the merged list": {"  - {<<: *base, redirect_uris: [http://localhost/b], client_id: b}\n",
			"b base"},
	} {
		t.Run(name, func(t *testing.T) {
			client := mustSettings(t, "--config", file(t, base+row.text)).Clients[0]
			if got := client.ClientID + " " + client.ClientName; got != row.want || len(client.RedirectURIs) != 1 {
				t.Errorf("got %s, %q; want %s", got, client.RedirectURIs, row.want)
			}
		})
	}
	merged := mustSettings(t, "--config", file(t, strings.Replace(loopbackFile, "    password: alice",
		"    password: a\n    claims:\n      a: &a {x: 1, y: 2}\n      b: {<<: *a, y: 3}", 1))).Users[0].Claims
	if got := fmt.Sprint(merged); got != "map[a:map[x:1 y:2] b:map[x:1 y:3]]" {
		t.Errorf("claims are merged to %s", got)
	}
}

var faultsOfMerges = []fileRow{
	{"a merge of a text", "  - client_id: spa", "  - <<: spa # HERE\n    client_id: spa", "<<: *name"},
	{"a merge of nothing", "  - client_id: spa", "  - <<: *spa # HERE\n    client_id: spa", "there is none before it"},
	{"a merge of itself", "  - client_id: spa", "  - &spa\n    <<: *spa # HERE\n    client_id: spa", "alias"},
	{"an unknown key of a merged group", "clients:\n", "x-a: &a {nonsense: 1} # HERE\nclients:\n  - <<: *a\n" +
		"    client_id: b\n    redirect_uris: [http://localhost/]\n    token_endpoint_auth_method: none\n", "no known key"},
	{"a holder that is not at the top", "    password: alice", "    password: alice\n    x-a: b # HERE", "no known key"},
}

func TestFaultsOfMerges(t *testing.T) {
	for _, row := range faultsOfMerges {
		t.Run(row.name, func(t *testing.T) { row.check(t, loopbackFile) })
	}
}

func TestBlanksAroundVariablesAreNoPartOfThem(t *testing.T) {
	for _, row := range []struct{ name, variable, value, want string }{
		{"a blank behind the comma", "HUSH_COOKIE_KEYS", keyA + ", " + keyB, keyA + "," + keyB},
		{"a final line break", "HUSH_COOKIE_KEYS", keyA + "\n", keyA},
		{"a final line break of Windows, and a comma", "HUSH_COOKIE_KEYS", "\t" + keyA + " ,\r\n", keyA},
		{"a key on each line", "HUSH_COOKIE_KEYS", keyA + "\r\n" + keyB + "\n", keyA + "," + keyB},
		{"an issuer with a line break", "HUSH_ISSUER", "http://localhost:7000\n", "http://localhost:7000"},
		{"an address with a line break", "HUSH_LISTEN", " 127.0.0.1:7000\n", "127.0.0.1:7000"},
		{"a log level with a line break", "HUSH_LOG_LEVEL", "warn\n", "warn"},
		{"a store with a line break", "HUSH_STORE", "redis://:hunter2@localhost\n", "redis://:hunter2@localhost"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv(row.variable, row.value)
			s, _ := parse(t).settings() // Redis without cookie_keys is a problem, but not this test's
			got := map[string]string{"HUSH_COOKIE_KEYS": strings.Join(s.CookieKeys, ","), "HUSH_ISSUER": s.Issuer,
				"HUSH_LISTEN": s.Listen, "HUSH_LOG_LEVEL": s.LogLevel, "HUSH_STORE": s.Store}
			if got[row.variable] != row.want {
				t.Errorf("%s is read as %q; want %q", row.variable, got[row.variable], row.want)
			}
		})
	}
}

func TestNoMessageAboutSecretsAdvisesToLoseData(t *testing.T) {
	path, store := binary(t), filepath.Join(t.TempDir(), "hush.db")
	args := []string{"keys", "list", "--store", "file:" + store, "--cookie-keys"}
	serve := startServing(t, path, "--listen", freeAddress(t, "127.0.0.1"), "--store", "file:"+store,
		"--cookie-keys", keyA)
	serve.signal(t, os.Interrupt)
	serve.exit(t)
	for _, keys := range []string{keyA, keyB + ", " + keyA, keyA + "\n", " " + keyA} {
		if code, said := runToEnd(t, path, append(args, keys)...); code != 0 {
			t.Errorf("with the cookie keys %q it said %s", keys, said)
		}
	}
	_, said := runToEnd(t, path, append(args, keyB)...)
	if !strings.Contains(said, "none of cookie_keys opens it") || strings.Contains(said, "fresh") {
		t.Errorf("with another cookie key it said %s", said)
	}
	if err := os.WriteFile(store+".secret", []byte("short\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, said = runToEnd(t, path, args[:4]...)
	if !strings.Contains(said, "restore it from a backup") || strings.Contains(said, "remove") {
		t.Errorf("with a broken secret it said %s", said)
	}
}
