package rp

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTheDocumentedRowsExist: each test that docs/relying-party.md names exists.
func TestTheDocumentedRowsExist(t *testing.T) {
	page, err := os.ReadFile("../docs/relying-party.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		tests.Write(text)
	}
	rows := regexp.MustCompile("(?m)`([^`]+)` \\|$").FindAllStringSubmatch(string(page), -1)
	if len(rows) < 50 {
		t.Errorf("only %d rows: the page is not read right", len(rows))
	}
	for _, row := range rows {
		if !strings.Contains(tests.String(), `"`+row[1]+`"`) && !strings.Contains(tests.String(), "func "+row[1]+"(") {
			t.Errorf("docs/relying-party.md names %q, and no test of that name is here", row[1])
		}
	}
}
