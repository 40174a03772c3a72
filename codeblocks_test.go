package hush_test

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// codeBlock begins a block of code that a program runs.
var codeBlock = regexp.MustCompile("(?m)^ *```(js|ts|jsx|tsx|vue|go|python|java|html|nginx|rust|csharp)$")

// runBy has the blocks that show no file: by page and language, the test by which the block runs.
var runBy = map[string]string{
	"docs/how-to-rp.md go":   "rp/howto_works_test.go",
	"docs/start.md html":     "e2e/ownpage.test.js",
	"docs/testing.md java":   "cmd/idp/testingdocs_test.go",
	"docs/testing.md js":     "cmd/idp/testingdocs_test.go",
	"docs/testing.md python": "cmd/idp/testingdocs_test.go",
}

// A block of code shows a file, or a test reads the block out of its page: nobody copies a line that was never run.
func TestEachBlockOfCodeInTheDocumentsRuns(t *testing.T) {
	blocks := map[string]int{}
	for _, page := range documents(t) {
		text := read(t, page)
		if strings.Contains(text, unrun) {
			continue
		}
		for _, m := range codeBlock.FindAllStringSubmatch(shownFile.ReplaceAllString(text, ""), -1) {
			blocks[page+" "+m[1]]++
		}
	}
	for block, count := range blocks {
		if runBy[block] == "" {
			t.Errorf("%s: a block has no comment <!-- file: PATH --> on the line before it, and no test in runBy", block)
		} else if count > 1 {
			t.Errorf("%s: %d blocks show no file; %s reads one", block, count, runBy[block])
		}
	}
	for block, test := range runBy {
		page, _, _ := strings.Cut(block, " ")
		if blocks[block] == 0 || !strings.Contains(read(t, test), page) {
			t.Errorf("%s: runBy names %s, but there is no such block, or the test does not name the page", block, test)
		}
	}
}

// The files that are there to be shown are in a page, and a test in a browser names them.
func TestEachFileForTheDocumentsIsShownAndRun(t *testing.T) {
	var pages, tests strings.Builder
	for _, page := range documents(t) {
		pages.WriteString(read(t, page))
	}
	for _, test := range glob(t, "e2e/*.test.js") {
		tests.WriteString(read(t, test))
	}
	for _, file := range slices.Concat(glob(t, "e2e/docs/*.*"), glob(t, "e2e/docs/*/*")) {
		if !strings.Contains(pages.String(), "<!-- file: "+file+" -->") {
			t.Errorf("no document shows %s", file)
		}
		if !strings.Contains(tests.String(), filepath.Base(file)) {
			t.Errorf("no test of e2e names %s", file)
		}
	}
}
