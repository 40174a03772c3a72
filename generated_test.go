package hush_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// recordMethods finds the command that writes the MessagePack methods of a file's records.
var recordMethods = regexp.MustCompile(`(?m)^//go:generate go (tool msgp .*)$`)

// The methods that store a record are those of its fields today.
func TestTheMethodsOfRecordsAreUpToDate(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		text, err := os.ReadFile(s.name)
		if err != nil {
			t.Fatal(err)
		}
		command := recordMethods.FindSubmatch(text)
		if command == nil || s.isTest() {
			continue
		}
		found++
		fresh := filepath.Join(t.TempDir(), "fresh.go")
		arguments := append(strings.Fields(string(command[1])), "-file", s.name, "-o", fresh)
		if output, err := exec.CommandContext(t.Context(), "go", arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", s.name, err, output)
		}
		want, errWant := os.ReadFile(fresh)
		got, errGot := os.ReadFile(strings.TrimSuffix(s.name, ".go") + "_gen.go")
		if errWant != nil || errGot != nil || !bytes.Equal(want, got) {
			t.Errorf("the methods of the records in %s are not up to date: run make generate (%v, %v)",
				s.name, errWant, errGot)
		}
	}
	if found == 0 {
		t.Error("no file has a command that generates the methods of records")
	}
}
