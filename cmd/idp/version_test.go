package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheProgramThatIsShippedTellsItsVersionAndIsSmall(t *testing.T) {
	t.Setenv("VERSION", "v1.2.3-4-gabcdef0")
	shipped := filepath.Join(t.TempDir(), "idp")
	if output, err := exec.Command("../../scripts/build.sh", shipped, "./cmd/idp").CombinedOutput(); err != nil {
		t.Fatalf("scripts/build.sh: %v\n%s", err, output)
	}
	if code, said := runToEnd(t, shipped, "--version"); code != 0 || said != "idp version v1.2.3-4-gabcdef0\n" {
		t.Errorf("it ended with %d and said %q", code, said)
	}
	file, err := os.Stat(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if file.Size() > 24<<20 {
		t.Errorf("it has %d bytes; want at most 24 MiB. If it grew by a half, a function looks methods up by name, and the "+
			"linker keeps them all: go build -tags grpcnotrace -ldflags=-dumpdep ./cmd/idp 2>&1 | grep ReflectMethod "+
			"names the function", file.Size())
	}
}

func TestAProgramWithoutAStampTellsWhatTheGoToolFoundOrThatItIsUnknown(t *testing.T) {
	code, said := runToEnd(t, binary(t), "--version")
	version := strings.TrimPrefix(said, "idp version ")
	if code != 0 || len(version) < 4 || strings.Contains(version, "devel") {
		t.Errorf("it ended with %d and said %q", code, said)
	}
}
