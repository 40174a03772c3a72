package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// FuzzFile: every file is settings that can be served, or an error of few words that says where and what.
func FuzzFile(f *testing.F) {
	for good, rows := range map[string][]fileRow{loopbackFile: loopbackFaults, publicFile: publicFaults} {
		f.Add(good)
		for _, row := range rows {
			if f.Add(good + row.new); row.old != "" {
				f.Add(strings.Replace(good, row.old, row.new, 1))
			}
		}
	}
	for _, text := range []string{"", "---", "a: &a [*a]", "<<: *x", "? ", "!!binary x", "issuer: !!str 7",
		"users: [null]", "clients: {}", "\xff\xfe", "\t", "- -", "&a", "*a", "|", "issuer: >\n\n", "%YAML 9"} {
		f.Add(text)
	}
	name := filepath.Join(f.TempDir(), "hush.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := parse(t, "--config", name).settings()
		switch {
		case err == nil && (s.Issuer == "" || s.Listen == "" || s.Store == ""):
			t.Errorf("%q gives half of the settings: %+v", text, s)
		case err != nil:
			checkProblems(t, text, strings.ReplaceAll(err.Error(), name, "hush.yaml"))
		}
	})
}

// located is how the first line of every error about a file begins: with its place, or with the key that it lacks.
var located = regexp.MustCompile(`^(hush\.yaml:[1-9][0-9]*: |hush\.yaml: |[a-z_]+)`)

func checkProblems(t *testing.T, text, problems string) {
	t.Helper()
	if !located.MatchString(problems) || strings.Contains(problems, "panic") {
		t.Errorf("%q is refused by %q; want a place and what to do", text, problems)
	}
}
