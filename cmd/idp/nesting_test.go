package main

import (
	"runtime"
	"strings"
	"testing"
)

// staircase is a text with a line for each level.
func staircase(levels int, entry string) string {
	var text strings.Builder
	for i := range levels {
		text.WriteString(strings.Repeat(" ", i) + entry + "\n")
	}
	return text.String()
}

// TestADeepFileIsRefusedBeforeItTakesMemory: 60,000 brackets once took 5.5 GB.
func TestADeepFileIsRefusedBeforeItTakesMemory(t *testing.T) {
	const size = 60_000
	for _, row := range []struct{ name, text, at string }{
		{"lists that begin and never end", "\n" + strings.Repeat("[", size), ":2: "},
		{"lists that end", "users: " + strings.Repeat("[", size/2) + strings.Repeat("]", size/2), ":1: "},
		{"keys in brackets", strings.Repeat("{a: ", size/4), ":1: "},
		{"both in turn", "issuer: http://localhost:1\nusers: " + strings.Repeat("[{a: ", size/5), ":2: "},
		{"dashes in one line", "users:\n  " + strings.Repeat("- ", size/2), ":2: "},
		{"question marks in one line", strings.Repeat("? ", size/2), ":1: "},
		{"dashes in brackets", "users: [" + strings.Repeat("- ", size) + "]", ":1: "},
		{"dashes behind a key in brackets", "users: {a: " + strings.Repeat("- ", size) + "}", ":1: "},
		{"question marks in brackets", "users: [" + strings.Repeat("? ", size) + "]", ":1: "},
		{"keys below keys", staircase(300, "a:"), ":51: "},
		{"dashes below dashes", staircase(300, "-"), ":51: "},
		{"brackets below keys", staircase(30, "a:") + strings.Repeat(" ", 31) + strings.Repeat("[", size), ":31: "},
	} {
		t.Run(row.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := new(source).parse("hush.yaml", []byte(row.text))
			runtime.ReadMemStats(&after)
			if err == nil || !strings.HasPrefix(err.Error(), "hush.yaml"+row.at) ||
				!strings.Contains(err.Error(), "nested more than 50 deep") {
				t.Errorf("the error is %v; want one at hush.yaml%s about the depth", err, row.at)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
				t.Errorf("it took %d MB; want less than 100", used>>20)
			}
		})
	}
}

// TestAWideFileIsNotDeep: many entries beside each other, and levels that end again, do not count as depth.
func TestAWideFileIsNotDeep(t *testing.T) {
	for name, text := range map[string]string{
		"many lists in brackets": "users: [" + strings.Repeat("{username: a, claims: {b: [c]}},", 200) + "]\n",
		"many entries":           "users:\n" + strings.Repeat("  - username: a\n    claims:\n      b:\n        - c\n", 200),
		"lists at the column of their key": "users:\n" +
			strings.Repeat("- username: a\n  claims:\n    b:\n    - c\n", 200),
		"brackets in a text":    "issuer: \"" + strings.Repeat("[", 500) + "\"\n",
		"brackets in a comment": "issuer: a # " + strings.Repeat("[", 500) + "\n",
		"brackets in a block":   "issuer: |-\n  " + strings.Repeat("[", 500) + "\n",
		"dashes in a text":      "issuer: a " + strings.Repeat("- ", 500) + "\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := new(source).parse("hush.yaml", []byte(text)); err != nil {
				t.Errorf("the file is refused: %v", err)
			}
		})
	}
}
