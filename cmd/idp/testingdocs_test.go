package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// blocksOf are the code blocks of docs/testing.md in the language.
func blocksOf(t *testing.T, language string) (blocks []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/testing.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rest := range strings.Split(string(page), "```"+language+"\n")[1:] {
		block, _, _ := strings.Cut(rest, "```")
		blocks = append(blocks, block)
	}
	if len(blocks) == 0 {
		t.Fatalf("docs/testing.md has no block in %s", language)
	}
	return blocks
}

// TestTheProgramsOfTheDocsRun runs the examples of docs/testing.md.
func TestTheProgramsOfTheDocsRun(t *testing.T) {
	path := filepath.Dir(binary(t)) + string(os.PathListSeparator) + os.Getenv("PATH")
	for _, row := range []struct{ language, program, file string }{
		{"js", "node", "test.mjs"}, {"python", "python3", "test.py"}, {"java", "java", "HushTest.java"},
	} {
		t.Run(row.language, func(t *testing.T) {
			program, err := exec.LookPath(row.program)
			if err != nil {
				t.Fatalf("%v: scripts/install.sh installs it", err)
			}
			name := filepath.Join(t.TempDir(), row.file)
			if err := os.WriteFile(name, []byte(blocksOf(t, row.language)[0]), 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), program, name)
			command.Env = append(os.Environ(), "PATH="+path, `HUSH_CONFIG_JSON={"signing_keys":[{"alg":"ES256"}]}`)
			command.Stderr = os.Stderr
			output, err := command.Output()
			if err != nil || !strings.HasPrefix(string(output), "Dana Diaz\n") {
				t.Errorf("the program of the docs printed %s, %v; want the user's name", output, err)
			}
		})
	}
}

// TestTheCommandsOfTheDocsRun runs the block of curl commands of docs/testing.md: each must be answered well.
func TestTheCommandsOfTheDocsRun(t *testing.T) {
	var commands string
	for _, block := range blocksOf(t, "") {
		if strings.Contains(block, "/console/reset") {
			commands = block
		}
	}
	t.Setenv("HUSH_CONFIG_JSON", `{"signing_keys": [{"alg": "ES256"}]}`)
	name := readyFile(t.TempDir(), 0)
	ready := awaitReady(t, start(t, binary(t), "--listen", "127.0.0.1:0", "--ready-file", name), name)
	script := "set -e\n" + strings.ReplaceAll(commands, "curl -s", "curl -sS --fail-with-body")
	command := exec.CommandContext(t.Context(), "bash", "-c", script)
	command.Env = append(os.Environ(), "ISSUER="+ready.Issuer)
	if output, err := command.CombinedOutput(); err != nil || !strings.Contains(string(output), "access_token") {
		t.Errorf("the commands of the docs: %v\n%s", err, output)
	}
}
