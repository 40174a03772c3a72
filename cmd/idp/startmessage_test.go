package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestHello(t *testing.T) {
	var text bytes.Buffer
	hello(&text, mustSettings(t))
	want := `Hush is the OpenID provider http://localhost:8080 (listening at 127.0.0.1:8080)
  metadata  http://localhost:8080/.well-known/openid-configuration
  sign in   http://localhost:8080/ as alice, bob, carol: by one click, or with the password, which is the name
  console   http://localhost:8080/console: what happens here and why, and how to make it fail
  also at   http://idp.demo.localhost:8080
  also at   http://idp.localhost:8080
  clients   spa (public, PKCE), web (confidential)
`
	if text.String() != want {
		t.Errorf("hello says\n%s\nwant\n%s", text.String(), want)
	}
}

func TestHelloNamesTheLayoutsAtThePortThatTheSystemChose(t *testing.T) {
	for _, row := range []struct{ name, yaml, want string }{
		{"without layouts in the file", "", "idp.demo.localhost:41234 idp.localhost:41234"},
		{"layouts with port 0", "layouts: [http://idp.localhost:0, http://localhost:0/realms/two]\n",
			"idp.localhost:41234 localhost:41234/realms/two"},
		{"a layout with a port of its own, behind a proxy", "layouts: [http://idp.localhost:8000]\n",
			"idp.localhost:8000"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := mustSettings(t, "--listen=127.0.0.1:0", "--back-channel-hosts=idp:0", "--config",
				file(t, oneUser+row.yaml)).at("127.0.0.1:41234")
			if err != nil {
				t.Fatal(err)
			}
			var text bytes.Buffer
			hello(&text, s)
			var shown []string
			for line := range strings.Lines(text.String()) {
				if layout, ok := strings.CutPrefix(line, "  also at   http://"); ok {
					shown = append(shown, strings.TrimSpace(layout))
				}
			}
			if got := strings.Join(shown, " "); got != row.want || s.BackChannelHosts[0] != "idp:41234" {
				t.Errorf("hello names the layouts %s, and the back channel is %s; want %s", got, s.BackChannelHosts, row.want)
			}
		})
	}
}

func TestHelloTellsNoMoreThanItShould(t *testing.T) {
	otherPassword := strings.Replace(loopbackFile, "password: alice", "password: hunter2", 1)
	hashed := strings.Replace(loopbackFile, "password: alice", "password_hash: "+bcryptHash, 1)
	for _, row := range []struct{ name, args, yaml, has, hasNot string }{
		{"without development mode no user is named", "--dev=false", loopbackFile, "http://localhost:8080/\n", "alice"},
		{"of a public issuer no user is named", "--log-level=info", publicFile, "https://login.example.com/\n", "dana"},
		{"a public issuer shows no secret", "--log-level=info", publicFile, "shop (confidential)",
			"a-long-random-secret"},
		{"a password that is not the name is not shown", "--log-level=info", otherPassword, "as alice", "hunter2"},
		{"nor called the name", "--log-level=info", otherPassword, "with the password\n", "which is the name"},
		{"nor a hashed one", "--log-level=info", hashed, "with the password\n", "which is the name"},
		{"cookie keys are not shown", "--cookie-keys=" + keyA, loopbackFile, "spa", keyA},
	} {
		t.Run(row.name, func(t *testing.T) {
			var text bytes.Buffer
			hello(&text, mustSettings(t, row.args, "--config", file(t, row.yaml)))
			if !strings.Contains(text.String(), row.has) || strings.Contains(text.String(), row.hasNot) {
				t.Errorf("hello says\n%s\nwant %q in it, and not %q", text.String(), row.has, row.hasNot)
			}
		})
	}
}

func TestAVariableThatSetsNothingIsWarnedOf(t *testing.T) {
	named := strings.Replace(publicFile, "a-long-random-secret", "${HUSH_SHOP_SECRET}", 1)
	for name, value := range map[string]string{
		"HUSH_SHOP_SECRET": "secret", "HUSH_DEMO_LISTEN": ":9090", "HUSH_IDP": "bin/idp", "HUSH_PORT": "tcp://10.0.0.1:80",
		"HUSH_LOG_LEVEL": "info", "HUSH_COOKIE_KEY": keyA,
	} {
		t.Setenv(name, value)
	}
	s := mustSettings(t, "--store=file:/nowhere/hush.db", "--config", file(t, named))
	got := strings.Join(s.warnings(), "\n")
	if strings.Count(got, "HUSH_") != 2 || !strings.Contains(got, "variable HUSH_COOKIE_KEY has no effect") ||
		!strings.Contains(got, "did you mean HUSH_COOKIE_KEYS?") {
		t.Errorf("the warnings are %q; want one, of HUSH_COOKIE_KEY, with HUSH_COOKIE_KEYS", got)
	}
}

// An error about a missing setting shows the variable that was meant to set it.
func TestAVariableThatSetsNothingStandsBesideTheError(t *testing.T) {
	t.Setenv("HUSH_COOKIE_KEY", keyA)
	code, said := runToEnd(t, binary(t), "check", "--store=redis://127.0.0.1:1", "--config", file(t, publicFile))
	if code != 1 || !strings.Contains(said, "cookie_keys: is missing") || !strings.Contains(said, "HUSH_COOKIE_KEYS?") {
		t.Errorf("exit %d: %s", code, said)
	}
	_, said = runToEnd(t, binary(t), "check", "--config", file(t, "unknown: ${HUSH_COOKIE_KEY}\n"))
	if strings.Contains(said, "warning") {
		t.Errorf("a file that cannot be read has the warning %s", said)
	}
}

func TestWarnings(t *testing.T) {
	withKeys := publicFile + "cookie_keys: [" + keyA + "]\nsigning_keys: [{alg: ES256, file: es256.pem}]\n"
	hashed := strings.Replace(loopbackFile, "password: alice", "password_hash: "+bcryptHash, 1)
	for _, row := range []struct {
		name, args, yaml string
		want             []string // a word of each warning, in order
	}{
		{"the default has plain passwords", "--log-level=info", "", []string{"plain text"}},
		{"without plain passwords a loopback issuer has nothing to warn of", "--log-level=info", hashed, nil},
		{"development mode that others can reach", "--listen=0.0.0.0:8080", hashed, []string{"sign in as any user"}},
		{"development mode at every address", "--listen=:8080", hashed, []string{"sign in as any user"}},
		{"development mode at a real address", "--listen=192.168.0.7:8080", hashed, []string{"sign in as any user"}},
		{"development mode at another loopback address", "--listen=127.0.0.9:8080", hashed, nil},
		{"a public issuer that forgets everything when it ends", "--log-level=info", publicFile,
			[]string{"cookie_keys", "signing key"}},
		{"a public issuer with a file, which keeps the keys", "--store=file:/nowhere/hush.db", publicFile, nil},
		{"a public issuer with Redis, which keeps the keys", "--store=redis://127.0.0.1:1",
			publicFile + "cookie_keys: [" + keyA + "]\n", nil},
		{"a public issuer that forgets its signing key only", "--cookie-keys=" + keyA, publicFile, []string{"signing key"}},
		{"a public issuer that keeps its keys, where others can reach it", "--listen=0.0.0.0:8080", withKeys, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := mustSettings(t, row.args, "--config", file(t, row.yaml))
			got := s.warnings()
			if len(got) != len(row.want) {
				t.Fatalf("%d warnings: %q; want %d", len(got), got, len(row.want))
			}
			for i, word := range row.want {
				if !strings.Contains(got[i], word) {
					t.Errorf("warning %q; want %q in it", got[i], word)
				}
			}
		})
	}
}
