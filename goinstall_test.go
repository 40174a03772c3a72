package hush_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// go install MODULE/cmd/idp@latest builds what the repository has, and refuses a go.mod with replace. So each generated
// file is in the repository, and files that make build copies are not needed.
func TestGoInstallFindsEveryFile(t *testing.T) {
	text, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if regexp.MustCompile(`(?m)^(replace|exclude)\b`).Match(text) {
		t.Error("go.mod has replace or exclude, which go install of a version refuses")
	}
	archive, err := exec.CommandContext(t.Context(), "git", "archive", "HEAD").Output()
	if err != nil {
		t.Skip("this is no checkout of git: ", err)
	}
	tree := t.TempDir()
	unpack(t, archive, tree)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, "./cmd/idp")
	build.Dir, build.Env = tree, asShipped()
	if output, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}

// asShipped has the flags of scripts/build.sh: what was compiled for it need not be compiled again.
func asShipped() []string {
	return append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-trimpath")
}

func unpack(t *testing.T, archive []byte, to string) {
	t.Helper()
	for reader := tar.NewReader(bytes.NewReader(archive)); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(to, header.Name)
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(name, 0o755)
		case tar.TypeReg:
			var content []byte
			if content, err = io.ReadAll(reader); err == nil {
				err = os.WriteFile(name, content, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
