package hush_test

import (
	"bytes"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const architecturePage = "docs/architecture.md"

// packageLine is a line of the package list: a package's folder, two spaces or more, and what it is for.
var packageLine = regexp.MustCompile(`(?m)^([a-z0-9/-]+)  +\S`)

func TestTheArchitecturePageListsEachPackage(t *testing.T) {
	page := section(t, "## Packages")
	var listed []string
	for _, m := range packageLine.FindAllStringSubmatch(page, -1) {
		listed = append(listed, m[1])
	}
	var there []string
	for name := range packages(t) {
		if name != "." {
			there = append(there, name)
		}
	}
	slices.Sort(there)
	for _, name := range there {
		if !slices.Contains(listed, name) {
			t.Errorf("%s does not list %s", architecturePage, name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(there, name) {
			t.Errorf("%s lists %s, which is no package", architecturePage, name)
		}
	}
}

// A step of a walk: `idp/authorize/endpoint.go` Endpoint.Authorize.
var stepLine = regexp.MustCompile("(?m)^1\\. `([a-z0-9_/]+\\.go)` `([A-Za-z.]+)`")

// Each step of the two walks is a function of that file, and an earlier step mentions it: so the walk is one that the
// code takes.
func TestTheWalksOfTheArchitecturePageAreThoseOfTheCode(t *testing.T) {
	declared := map[string]*ast.FuncDecl{}
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				declared[s.name+" "+nameOf(f)] = f
			}
		}
	}
	for _, heading := range []string{"## A silent authorization request", "## A token request"} {
		steps := stepLine.FindAllStringSubmatch(section(t, heading), -1)
		if len(steps) < 6 {
			t.Errorf("%s: the walk %q has %d steps", architecturePage, heading, len(steps))
		}
		mentioned := map[string]bool{}
		for i, step := range steps {
			f := declared[step[1]+" "+step[2]]
			if f == nil {
				t.Errorf("%s: %s has no function %s", architecturePage, step[1], step[2])
				continue
			}
			if i > 0 && !mentioned[f.Name.Name] {
				t.Errorf("%s: no earlier step of %q calls %s", architecturePage, heading, step[2])
			}
			for node := range ast.Preorder(f) {
				if name, ok := node.(*ast.Ident); ok {
					mentioned[name.Name] = true
				}
			}
		}
	}
}

// nameOf is Type.Method, or the name of a function.
func nameOf(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return f.Name.Name
	}
	receiver := f.Recv.List[0].Type
	if pointer, ok := receiver.(*ast.StarExpr); ok {
		receiver = pointer.X
	}
	switch generic := receiver.(type) {
	case *ast.IndexExpr:
		receiver = generic.X
	case *ast.IndexListExpr:
		receiver = generic.X
	}
	return receiver.(*ast.Ident).Name + "." + f.Name.Name
}

// section is the text of the architecture page below a heading.
func section(t *testing.T, heading string) string {
	t.Helper()
	page, err := os.ReadFile(architecturePage)
	if err != nil {
		t.Fatal(err)
	}
	_, below, found := strings.Cut(string(page), heading+"\n")
	if !found {
		t.Fatalf("%s has no heading %q", architecturePage, heading)
	}
	text, _, _ := strings.Cut(below, "\n## ")
	return text
}

// Every file that the documents name in backquotes is there.
func TestDocumentsNameFilesThatExist(t *testing.T) {
	named := regexp.MustCompile("`((?:idp|oidc|rp|trace|storage|cmd|static|e2e|docs|deploy|idptest|scripts)/" +
		"[A-Za-z0-9_./-]+\\.[a-z]+)`")
	for _, page := range documents(t) {
		for _, m := range named.FindAllStringSubmatch(read(t, page), -1) {
			if _, err := os.Stat(path.Clean(m[1])); err != nil {
				t.Errorf("%s names %s, which does not exist", page, m[1])
			}
		}
	}
}

// Every test that the page about blocked cookies names is there.
func TestBlockedCookiesNamesTestsThatExist(t *testing.T) {
	page, err := os.ReadFile("docs/blocked-cookies.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests []byte
	for _, pattern := range []string{"idp/*_test.go", "idp/*/*_test.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, text...)
		}
	}
	named := regexp.MustCompile("`(Test[A-Za-z]+)`").FindAllStringSubmatch(string(page), -1)
	for _, m := range named {
		if !bytes.Contains(tests, []byte("func "+m[1]+"(")) {
			t.Errorf("docs/blocked-cookies.md names %s, which does not exist", m[1])
		}
	}
	if len(named) == 0 {
		t.Error("docs/blocked-cookies.md names no test")
	}
}
