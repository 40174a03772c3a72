package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgramThatIsShippedTellsItsVersion(t *testing.T) {
	t.Setenv("VERSION", "v1.2.3-4-gabcdef0")
	shipped := filepath.Join(t.TempDir(), "idp")
	if output, err := exec.Command("../../scripts/build.sh", shipped, "./cmd/idp").CombinedOutput(); err != nil {
		t.Fatalf("scripts/build.sh: %v\n%s", err, output)
	}
	if code, said := runToEnd(t, shipped, "--version"); code != 0 || said != "idp version v1.2.3-4-gabcdef0\n" {
		t.Errorf("it ended with %d and said %q", code, said)
	}
}

func TestAProgramWithoutAStampTellsWhatTheGoToolFoundOrThatItIsUnknown(t *testing.T) {
	code, said := runToEnd(t, binary(t), "--version")
	version := strings.TrimPrefix(said, "idp version ")
	if code != 0 || len(version) < 4 || strings.Contains(version, "devel") {
		t.Errorf("it ended with %d and said %q", code, said)
	}
}
