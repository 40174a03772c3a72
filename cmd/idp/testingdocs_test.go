package main

import (
	"os"
	"strings"
	"testing"
)

// longestSuite is how many lines an example of docs/testing.md may have.
const longestSuite = 30

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

// TestTheSuitesOfTheDocsAreThoseThatRun compares the examples of docs/testing.md with the files that `make helpers`
// runs.
func TestTheSuitesOfTheDocsAreThoseThatRun(t *testing.T) {
	for language, file := range map[string]string{
		"js": "js/hush.test.js", "python": "python/test_hush.py", "java": "java/src/test/java/example/AppTest.java",
	} {
		suite, err := os.ReadFile("../../clients/" + file)
		if err != nil {
			t.Fatal(err)
		}
		if shown := blocksOf(t, language)[0]; shown != string(suite) {
			t.Errorf("docs/testing.md shows another suite than clients/%s: copy the file into the page", file)
		}
		if lines := strings.Count(string(suite), "\n"); lines > longestSuite {
			t.Errorf("clients/%s has %d lines; an example has at most %d", file, lines, longestSuite)
		}
	}
}
