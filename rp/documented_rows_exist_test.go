package rp

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTheDocumentedRowsExist: each row of docs/relying-party.md names the tests that show it, and each of them runs.
func TestTheDocumentedRowsExist(t *testing.T) {
	page, err := os.ReadFile("../docs/relying-party.md")
	if err != nil {
		t.Fatal(err)
	}
	tests, rows := testNames(t), 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(strings.Trim(line, "|\n"), "|")
		last := strings.TrimSpace(cells[len(cells)-1])
		isHeading := last == "Row" || strings.HasPrefix(last, "---") || strings.TrimSpace(strings.Join(cells[1:], "")) == ""
		if !strings.HasPrefix(line, "|") || isHeading {
			continue
		}
		rows++
		named := regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(last, -1)
		if len(named) == 0 {
			t.Errorf("the row of %q names no test", cells[0])
		}
		for _, name := range named {
			if !tests[name[1]] {
				t.Errorf("the row of %q names %q, and no test has that name", cells[0], name[1])
			}
		}
	}
	if rows < 60 {
		t.Errorf("only %d rows: the page is not read right", rows)
	}
}

// testNames are the names of the test functions of this folder, of the rows of their tables, and of the tests in
// browsers. The name of a row is its first string or its field name; a subtest has its name as first argument of Run.
func testNames(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	add := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value) // no error: it was parsed
			names[text] = true
		}
	}
	visit := func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			names[n.Name.Name] = strings.HasPrefix(n.Name.Name, "Test")
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Run" && len(n.Args) == 2 {
				add(n.Args[0])
			}
		case *ast.CompositeLit:
			for i, e := range n.Elts {
				field, hasKey := e.(*ast.KeyValueExpr)
				if !hasKey && i == 0 {
					add(e)
				}
				if hasKey && types.ExprString(field.Key) == "name" {
					add(field.Value)
				}
			}
		}
		return true
	}
	for _, path := range glob(t, "*_test.go") {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, visit)
	}
	inBrowsers := regexp.MustCompile(`(?m)^\s*(?:scene|story)\("([^"]+)"`)
	for _, path := range glob(t, "../e2e/*.test.js") {
		script, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range inBrowsers.FindAllStringSubmatch(string(script), -1) {
			names[found[1]] = true
		}
	}
	return names
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("no file is like %s: %v", pattern, err)
	}
	return paths
}
