package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// secretFile writes a file with a secret and returns its name.
func secretFile(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestSecretsComeFromTheEnvironmentAndFromFiles(t *testing.T) {
	t.Setenv("TEST_SECRET", keyB+"\n")
	for _, row := range []struct {
		name, old, new string // new replaces old in loopbackFile; empty: it is added at the start
		get            func(settings) string
	}{
		{"client_secret from the environment", "token_endpoint_auth_method: none", "client_secret: ${TEST_SECRET}",
			func(s settings) string { return matching(s.Clients[0].ClientSecret.Matches) }},
		{"client_secret from a file", "token_endpoint_auth_method: none", "client_secret_file: FILE",
			func(s settings) string { return matching(s.Clients[0].ClientSecret.Matches) }},
		{"cookie_keys from the environment", "", "cookie_keys: ['${TEST_SECRET}', " + keyA + "]\n",
			func(s settings) string { return s.CookieKeys[0] }},
		{"cookie_keys from a file", "", "cookie_keys_file: FILE\n", func(s settings) string { return s.CookieKeys[0] }},
		{"initial_access_tokens from the environment", "", "registration: {initial_access_tokens: ['${TEST_SECRET}']}\n",
			func(s settings) string { return matching(s.Registration.InitialAccessTokens[0].Matches) }},
		{"initial_access_tokens from a file", "", "registration:\n  initial_access_tokens_file: FILE\n",
			func(s settings) string { return matching(s.Registration.InitialAccessTokens[0].Matches) }},
		{"pairwise_salt from the environment", "", "pairwise_salt: ${TEST_SECRET}\n",
			func(s settings) string { return s.PairwiseSalt }},
		{"pairwise_salt from a file", "", "pairwise_salt_file: FILE\n", func(s settings) string { return s.PairwiseSalt }},
		{"a password from a file", "password: alice", "password_file: FILE",
			func(s settings) string { return s.Users[0].Password }},
		{"a claim from the environment", "    password: alice", "    password: a\n    claims: {a: [\"${TEST_SECRET}\"]}",
			func(s settings) string { return s.Users[0].Claims["a"].([]any)[0].(string) }},
	} {
		t.Run(row.name, func(t *testing.T) {
			text := row.new + loopbackFile
			if row.new != "" && row.old != "" {
				text = strings.Replace(loopbackFile, row.old, row.new, 1)
			}
			for _, content := range []string{keyB, keyB + "\r\n", "\ufeff" + keyB + "\n", inUTF16(keyB+"\r\n", false)} {
				s := mustSettings(t, "--config", file(t, strings.ReplaceAll(text, "FILE", secretFile(t, content))))
				if got := row.get(s); got != keyB {
					t.Errorf("read as %q; want %q", got, keyB)
				}
			}
		})
	}
}

// matching returns the key that matches.
func matching(matches func(string) bool) string {
	if matches(keyB) {
		return keyB
	}
	return "another secret"
}

// Of a value and a file of the same key the one in the group itself counts, as of two values of the same key.
func TestAKeyOfItsOwnWinsOverAMergedFile(t *testing.T) {
	const base = "x-base: &base {redirect_uris: [http://localhost/], MERGED}\nclients: [{<<: *base, client_id: a, OWN}]\n"
	of := func(merged, own string) string {
		return strings.NewReplacer("MERGED", merged, "OWN", own).Replace(base)
	}
	for name, text := range map[string]string{
		"a file of its own":  of("client_secret: merged", "client_secret_file: FILE"),
		"a value of its own": of("client_secret_file: /nowhere", "client_secret: "+keyB),
		"the first group of a list": "x-a: &a {client_secret_file: FILE}\nx-b: &b {client_secret: b, client_id: b, " +
			"redirect_uris: [http://localhost/]}\nclients: [{<<: [*a, *b]}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			text = strings.ReplaceAll(text, "FILE", secretFile(t, keyB))
			s := mustSettings(t, "--config", file(t, text))
			if got := matching(s.Clients[0].ClientSecret.Matches); got != keyB {
				t.Errorf("the secret is %s", got)
			}
		})
	}
	both := of("client_secret: merged, client_secret_file: /nowhere", "client_name: a")
	_, err := parse(t, "--config", file(t, both)).settings()
	if err == nil || !strings.Contains(err.Error(), "keep one of the two") {
		t.Errorf("a value and a file in one merged group: %v", err)
	}
}

func TestAListComesFromTheLinesOfAFile(t *testing.T) {
	s := mustSettings(t, "--config", file(t, "cookie_keys_file: "+secretFile(t, keyA+"\r\n\r\n  "+keyB+" \n")+"\n"))
	if got := strings.Join(s.CookieKeys, ","); got != keyA+","+keyB {
		t.Errorf("read as %q", got)
	}
}

func TestVariablesInTexts(t *testing.T) {
	t.Setenv("TEST_NAME", "Zoë: 007")
	t.Setenv("TEST_TIME", "90m")
	for text, want := range map[string]string{
		"${TEST_NAME}": "Zoë: 007", "'a ${TEST_NAME} b'": "a Zoë: 007 b", `"${TEST_NAME}${TEST_NAME}"`: "Zoë: 007Zoë: 007",
		"$${TEST_NAME}": "${TEST_NAME}", "$$${TEST_NAME}": "$${TEST_NAME}", "a $${ b": "a ${ b", "$TEST_NAME": "$TEST_NAME",
		"a$b$": "a$b$", "$(x)": "$(x)", "$$": "$$",
	} {
		t.Run(text, func(t *testing.T) {
			s := mustSettings(t, "--config", file(t, strings.Replace(loopbackFile, "    redirect_uris", "    client_name: "+text+
				"\n    redirect_uris", 1)))
			if got := s.Clients[0].ClientName; got != want {
				t.Errorf("read as %q; want %q", got, want)
			}
		})
	}
	s := mustSettings(t, "--config", file(t, "session:\n  idle: ${TEST_TIME}\nlog_level: info\n"))
	if s.Session.Idle != 90*time.Minute {
		t.Errorf("a duration is read as %v", s.Session.Idle)
	}
}

func TestFaultsOfSecretsFromElsewhere(t *testing.T) {
	t.Setenv("TEST_EMPTY", " \n")
	t.Setenv("TEST_SHORT", "hunter2")
	t.Setenv("TEST_LINES", "one\ntwo")
	for _, row := range []fileRow{
		{"a variable that is not set", "password: alice", "password: ${TEST_UNSET} # HERE", "TEST_UNSET, which is not set"},
		{"a variable that is empty", "password: alice", "password: ${TEST_EMPTY} # HERE", "TEST_EMPTY, which is not set"},
		{"the literal is told", "password: alice", "password: ${TEST_UNSET} # HERE", "write $${TEST_UNSET}"},
		{"a default of the shell", "password: alice", "password: ${A:-b} # HERE", "$${ for a ${"},
		{"a variable without an end", "password: alice", "password: a${b # HERE", "$${ for a ${"},
		{"a variable without a name", "password: alice", "password: a${} # HERE", "$${ for a ${"},
		{"a duration from a variable that is not set", "", "session:\n  idle: ${TEST_UNSET} # HERE",
			"TEST_UNSET, which is not set"},
		{"a file that is not there", "password: alice", "password_file: /nowhere/x # HERE", "password_file: the file cannot"},
		{"a file that is empty", "password: alice", "password_file: /dev/null # HERE", "is empty"},
		{"a file without a name", "password: alice", "password_file: # HERE", "names no file"},
		{"a list of files", "password: alice", "password_file: [a] # HERE", "should be a text"},
		{"a file and a value", "    password: alice", "    password: alice\n    password_file: x # HERE",
			"keep one of the two"},
		{"a variable without quotes inside braces", "", "users: [{username: ${TEST_SHORT}, password: p}] # HERE",
			"put quotes around"},
		{"a variable with two lines", "password: alice", "password: ${TEST_LINES} # HERE", "has a line break"},
		{"a file for a key of another form", "", "dev_file: /dev/null # HERE", "no known key"},
		{"a file for a group of keys", "", "session_file: /dev/null # HERE", "no known key"},
		{"a short key from a variable", "", "cookie_keys:\n  - ${TEST_SHORT} # HERE", "openssl rand"},
	} {
		t.Run(row.name, func(t *testing.T) { row.check(t, loopbackFile) })
	}
	name := file(t, loopbackFile+"cookie_keys_file: "+secretFile(t, "hunter2")+"\n")
	_, err := parse(t, "--config", name).settings()
	if err == nil || !strings.HasPrefix(err.Error(), name+":11: cookie_keys[0]: ") ||
		strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v; want the line of cookie_keys_file", err)
	}
}
