package hush_test

import (
	"cmp"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the index of rows into docs/conformance-index.tsv")

// A row is a test that says which section it holds, and what of it: a row of a table, or a test function that names the
// section in a comment or in what it reports.
type row struct {
	spec, section, sentence string
	folder                  string
}

// specification is a document that rows name, and the sections of it that speak to this provider and demand something:
// each has a row at least.
type specification struct {
	name, title, url string
	sections         string
}

var (
	// rowName is how the name of a row begins: a document, a section, a sentence.
	rowName = regexp.MustCompile(
		`^(?:OpenID Connect )?([A-Z][A-Za-z0-9 .-]*?) §([0-9A-Z][0-9A-Za-z]*(?:\.[0-9A-Za-z]+)*)[:,]? (.+)$`,
	)
	// cited is a section in a comment or a report.
	cited = regexp.MustCompile(
		`((?:RFC [0-9]+)|` + strings.Join(
			names(), "|",
		) + `)(?: Security Profile)? §([0-9A-Z][0-9A-Za-z]*(?:\.[0-9A-Za-z]+)*)`,
	)
)

// conformanceIndex has a line for each row: document, section, sentence, folder, separated by tabs.
const conformanceIndex = "docs/conformance-index.tsv"

func TestConformanceIndex(t *testing.T) {
	want := index(rowsOf(t))
	if *update {
		if err := os.WriteFile(conformanceIndex, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(conformanceIndex)
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(strings.Split(want, "\n"), strings.Split(string(got), "\n")); diff != "" {
		t.Errorf(
			"%s is not what the tests say; run go test -run TestConformanceIndex . -update (-want +got):\n%s", conformanceIndex,
			diff,
		)
	}
}

func TestEachSectionThatSpeaksToTheProviderHasARow(t *testing.T) {
	held := map[string]bool{}
	for _, r := range rowsOf(t) {
		held[r.spec+" §"+r.section] = true
	}
	for _, spec := range specifications {
		for section := range strings.FieldsSeq(spec.sections) {
			if name := spec.name + " §" + section; !held[name] {
				t.Errorf("no test row begins with %q: write one for each MUST of that section", name)
			}
		}
	}
}

// rowsOf reads the rows of all tests of this module, sorted.
func rowsOf(t *testing.T) []row {
	t.Helper()
	var rows []row
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (entry.Name() == "node_modules" || entry.Name() == "bench" ||
			strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case strings.HasSuffix(name, "_test.go"):
			found, err := rowsIn(name)
			rows = append(rows, found...)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(rows, compareRows)
	return slices.Compact(rows)
}

func compareRows(a, b row) int {
	return cmp.Or(
		cmp.Compare(order(a.spec), order(b.spec)), cmp.Compare(a.spec, b.spec), compareSections(a.section, b.section),
		cmp.Compare(a.sentence, b.sentence), cmp.Compare(a.folder, b.folder),
	)
}

// order is the place of a document in specifications; a document that is not listed comes last.
func order(name string) int {
	i := slices.IndexFunc(specifications, func(s specification) bool { return s.name == name })
	if i < 0 {
		return len(specifications)
	}
	return i
}

// compareSections knows that §3.10 comes after §3.9.
func compareSections(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(a, b string) int {
		i, errA := strconv.Atoi(a)
		j, errB := strconv.Atoi(b)
		if errA == nil && errB == nil {
			return cmp.Compare(i, j)
		}
		return cmp.Compare(a, b)
	})
}

func rowsIn(name string) ([]row, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, name, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	folder := filepath.ToSlash(filepath.Dir(name))
	var rows []row
	add := func(sentence string) {
		if m := rowName.FindStringSubmatch(sentence); m != nil {
			rows = append(rows, row{spec: m[1], section: strings.TrimSuffix(m[2], "."), sentence: m[3], folder: folder})
		}
	}
	ast.Inspect(file, func(node ast.Node) bool {
		for _, sentence := range namesIn(node) {
			add(sentence)
		}
		return true
	})
	for _, declared := range file.Decls {
		if test, ok := declared.(*ast.FuncDecl); ok && strings.HasPrefix(test.Name.Name, "Test") {
			for _, section := range sectionsOf(files, file, test) {
				add(section + " " + words(test.Name.Name))
			}
		}
	}
	return rows, nil
}

// namesIn returns the texts that may be names of rows: the texts of a table, and the first argument of a call that does
// not report a failure.
func namesIn(node ast.Node) []string {
	switch node := node.(type) {
	case *ast.CompositeLit:
		return texts(node.Elts...)
	case *ast.KeyValueExpr:
		return texts(node.Key, node.Value)
	case *ast.CallExpr:
		if len(node.Args) > 0 && !reports(node.Fun) {
			return texts(node.Args[0])
		}
	}
	return nil
}

func texts(expressions ...ast.Expr) []string {
	var found []string
	for _, expression := range expressions {
		if literal, ok := expression.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				found = append(found, text)
			}
		}
	}
	return found
}

// reports tells whether a function reports a failure.
func reports(function ast.Expr) bool {
	selector, ok := function.(*ast.SelectorExpr)
	return ok &&
		slices.Contains(
			[]string{"Error", "Errorf", "Fatal", "Fatalf", "Log", "Logf", "Skip", "Skipf", "Sprintf"}, selector.Sel.Name,
		)
}

// sectionsOf are the sections that a test names in comments, above it and in it, and in what it reports.
func sectionsOf(files *token.FileSet, file *ast.File, test *ast.FuncDecl) []string {
	var said []string
	first, last := files.Position(test.Pos()).Line, files.Position(test.End()).Line
	for _, comment := range file.Comments {
		if line := files.Position(comment.Pos()).Line; comment == test.Doc || first <= line && line <= last {
			said = append(said, comment.Text())
		}
	}
	ast.Inspect(test, func(node ast.Node) bool {
		if call, ok := node.(*ast.CallExpr); ok && reports(call.Fun) && len(call.Args) > 0 {
			said = append(said, texts(call.Args[0])...)
		}
		return true
	})
	var sections []string
	for _, m := range cited.FindAllStringSubmatch(strings.Join(said, "\n"), -1) {
		sections = append(sections, m[1]+" §"+m[2])
	}
	return sections
}

// words are those of a Go name: "the grace is short" of TestTheGraceIsShort.
func words(name string) string {
	name = strings.TrimPrefix(name, "Test")
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		lowerAfter := i+1 < len(letters) && unicode.IsLower(letters[i+1])
		lowerBefore := i > 0 && !unicode.IsUpper(letters[i-1])
		if i > 0 && unicode.IsUpper(r) && (lowerBefore || lowerAfter) {
			b.WriteByte(' ')
		}
		last, article := i+1 == len(letters), (i == 0 || lowerBefore) && startsWord(letters[i+1:])
		if unicode.IsUpper(r) && (lowerAfter || article || last && lowerBefore) {
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return strings.TrimLeft(b.String(), "_ ")
}

// startsWord tells whether the letters begin with a capital and go on small: after one letter, that letter was the word
// "a".
func startsWord(letters []rune) bool {
	return len(letters) > 1 && unicode.IsUpper(letters[0]) && unicode.IsLower(letters[1])
}

// index is Markdown: each document, its sections, and their rows.
func index(rows []row) string {
	var b strings.Builder
	b.WriteString("document\tsection\tsentence\tfolder\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "%s\t§%s\t%s\t%s\n", r.spec, r.section, strings.Join(strings.Fields(r.sentence), " "), r.folder)
	}
	return b.String()
}
