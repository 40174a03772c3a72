// Package hush_test holds the architecture: who may import whom, where the web framework ends, and how long things may
// be. docs/architecture.md says why.
package hush_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	module = "github.com/hush-idp/hush"
	echo   = "github.com/labstack/echo"

	maxFunctionLines = 60
	maxFileLines     = 400
	maxLineColumns   = 120
)

// goPackage is what go list tells of a package; Deps are its imports and theirs, tests not among them.
type goPackage struct {
	ImportPath string
	Deps       []string
}

// packages are those of this module, by their path within it; the module's own path is ".".
func packages(t *testing.T) map[string]goPackage {
	t.Helper()
	output, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Deps", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]goPackage{}
	for decoder := json.NewDecoder(bytes.NewReader(output)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return found
		} else if err != nil {
			t.Fatal(err)
		}
		found[within(p.ImportPath)] = p
	}
}

func isOfThisModule(importPath string) bool {
	return importPath == module || strings.HasPrefix(importPath, module+"/")
}

func within(importPath string) string {
	if importPath == module {
		return "."
	}
	return strings.TrimPrefix(importPath, module+"/")
}

// isAt tells whether the package is one of the places, or inside one that ends in /... .
func isAt(name string, places []string) bool {
	return slices.ContainsFunc(places, func(place string) bool {
		all, isTree := strings.CutSuffix(place, "/...")
		return name == place || isTree && (name == all || strings.HasPrefix(name, all+"/"))
	})
}

// layer says of some packages which packages of this module they may depend on, directly or not.
type layer struct {
	text    string
	of, may []string
}

var (
	// base is what every package of the provider may import.
	base = []string{"oidc", "trace", "storage", "idp/endpoint"}
	// parts do not import each other.
	parts = []string{
		"idp/session", "idp/grant", "idp/keys", "idp/users", "idp/fetch", "idp/dpop",
	}
	// sharedParts are used by several endpoints. They import parts.
	sharedParts = []string{"idp/clients", "idp/claims", "idp/access", "idp/userinfo", "idp/clientauth", "idp/limit"}
	// endpoints import parts, and not each other.
	endpoints = []string{"idp/token", "idp/registration"}
	// pageEndpoints are endpoints that show pages.
	pageEndpoints = []string{
		"idp/authorize", "idp/discovery", "idp/login", "idp/logout", "idp/device", "idp/storageaccess", "idp/fedcm",
	}
)

// layers are all of them; of two that fit the first counts.
var layers = []layer{
	{"oidc imports nothing of this module", []string{"oidc"}, nil},
	{"trace imports nothing of this module but the vocabulary", []string{"trace"}, []string{"oidc"}},
	{"static imports nothing of this module", []string{"static"}, nil},
	{"storage imports nothing of this module", []string{"storage"}, nil},
	{"an endpoint is described in the vocabulary", []string{"idp/endpoint"}, []string{"oidc", "storage"}},
	{"a store and the contract of stores import storage", []string{"storage/..."}, []string{"storage"}},
	{"endpoints import neither each other nor pages", endpoints, slices.Concat(base, parts, sharedParts)},
	{
		"endpoints that show pages do not import each other either", pageEndpoints,
		slices.Concat(base, parts, sharedParts, []string{"idp/pages"}),
	},
	{"parts that endpoints share import parts", sharedParts, slices.Concat(base, parts, sharedParts)},
	{
		"the console imports parts, the trace, the failure lab, the checks of an app, the sender of logout tokens and the " +
			"issuer of tokens",
		[]string{"idp/dev/console"}, slices.Concat(base, parts, sharedParts, []string{
			"idp/pages", "idp/dev/lab", "idp/dev/check", "idp/logout", "idp/token",
		}),
	},
	{"the checks of an app import parts, and no endpoint", []string{"idp/dev/check"}, slices.Concat(base, parts)},
	{"the failure lab imports parts, and no endpoint", []string{"idp/dev/lab"}, slices.Concat(base, parts, sharedParts)},
	{"pages import users and the vocabulary", []string{"idp/pages"}, slices.Concat(base, []string{"idp/users"})},
	{"parts do not import each other", parts, base},
	{
		"development mode decorates the provider from outside", []string{"idp/dev"},
		[]string{"oidc", "trace", "storage", "static", "idp", "idp/..."},
	},
	{"the provider imports its packages, nothing of development mode and nothing of the relying party",
		[]string{"idp", "idp/config"},
		slices.Concat(base, parts, sharedParts, endpoints, pageEndpoints, []string{"static", "idp/pages", "idp/config"})},
	{
		"the relying party never imports the provider", []string{"rp", "rp/..."},
		[]string{"oidc", "trace", "storage", "rp/..."},
	},
	{"the demo is a relying party and never imports the provider", []string{"cmd/demo-app"},
		[]string{"oidc", "trace", "storage", "storage/...", "rp", "rp/...", "static", "cmd/variables"}},
	{"environment variables are related to flags, to nothing of this module", []string{"cmd/variables"}, nil},
	{"an observer knows endpoints and the store", []string{"cmd/idp/observe"},
		[]string{"oidc", "storage", "idp/endpoint"}},
	{"the provider's command never imports the relying party", []string{"cmd/idp"},
		[]string{"oidc", "trace", "storage", "storage/...", "static", "idp", "idp/...", "cmd/idp/...", "cmd/variables"}},
	{
		"the provider inside a test is the provider", []string{"idptest"},
		[]string{"oidc", "trace", "storage", "static", "idp", "idp/..."},
	},
	{"the root holds this test and nothing else", []string{"."}, nil},
}

func TestWhichPackagesMayImportWhich(t *testing.T) {
	all := packages(t)
	for _, required := range []string{
		"oidc", "storage", "idp", "idp/authorize", "idp/token", "rp", "cmd/idp", "cmd/demo-app",
	} {
		if _, ok := all[required]; !ok {
			t.Errorf("go list does not tell of %s", required)
		}
	}
	for name, p := range all {
		i := slices.IndexFunc(layers, func(l layer) bool { return isAt(name, l.of) })
		if i < 0 {
			t.Errorf("%s is in no layer: say here what it may import", name)
			continue
		}
		for _, dep := range p.Deps {
			if isOfThisModule(dep) && !isAt(within(dep), layers[i].may) {
				t.Errorf("%s imports %s, but %s", name, within(dep), layers[i].text)
			}
		}
	}
}

// An application that tests with idptest must not have to compile the observers of the command.
func TestIdptestIsLight(t *testing.T) {
	heavy := []string{"google.golang.org/grpc", "go.opentelemetry.io/", "github.com/VictoriaMetrics/"}
	for _, dep := range packages(t)["idptest"].Deps {
		if slices.ContainsFunc(heavy, func(prefix string) bool { return strings.HasPrefix(dep, prefix) }) {
			t.Errorf("idptest depends on %s: only cmd/idp may", dep)
		}
	}
}

// source is one Go file of the tree.
type source struct {
	name string // from the root, with slashes
	file *ast.File
	set  *token.FileSet
}

func (s source) isTest() bool { return strings.HasSuffix(s.name, "_test.go") }

func (s source) line(position token.Pos) int { return s.set.Position(position).Line }

// sources are all Go files of the tree that a person writes, those of modules inside it too. A generated file, such as
// the HTML of a page, has a first comment that says so.
func sources(t *testing.T) []source {
	t.Helper()
	var all []source
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && name != "." && (entry.Name() == "node_modules" || strings.HasPrefix(entry.Name(), ".")) {
			return filepath.SkipDir
		}
		if entry.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		s := source{name: filepath.ToSlash(name), set: token.NewFileSet()}
		s.file, err = parser.ParseFile(s.set, name, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err == nil && !ast.IsGenerated(s.file) {
			all = append(all, s)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files were found", len(all))
	}
	return all
}

// Only the HTTP server of package idp knows the web framework, so that a change of the framework touches two files.
func TestOnlyTheServerKnowsTheWebFramework(t *testing.T) {
	found := 0
	for _, s := range sources(t) {
		if s.isTest() || !s.imports(t, echo) {
			continue
		}
		found++
		if !isAt(path.Dir(s.name), []string{"cmd/...", "bench/peers/..."}) &&
			!slices.Contains([]string{"idp/server.go", "idp/errors.go"}, s.name) {
			t.Errorf("%s imports echo; only idp/server.go, idp/errors.go, cmd/ and bench/peers/ may", s.name)
		}
	}
	if found == 0 {
		t.Error("nothing imports echo: is it the web framework still?")
	}
}

// A template calls methods by names that it reads at run time. So the linker keeps every exported method of every type
// that the program can reach: 14 MiB of cmd/idp. The pages of the provider are Go code instead.
func TestTheProviderHasNoTemplates(t *testing.T) {
	for _, s := range sources(t) {
		if s.isTest() || isAt(path.Dir(s.name), []string{"cmd/demo-app", "bench/..."}) {
			continue
		}
		for _, template := range []string{"text/template", "html/template"} {
			if s.imports(t, template) {
				t.Errorf("%s imports %s; write a .templ file in idp/pages for HTML, or a function for text", s.name, template)
			}
		}
	}
}

// imports tells whether the file imports the package, a version of it, or one inside it.
func (s source) imports(t *testing.T, want string) bool {
	t.Helper()
	return slices.ContainsFunc(s.file.Imports, func(spec *ast.ImportSpec) bool {
		got, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		return got == want || strings.HasPrefix(got, want+"/")
	})
}

func TestNoFunctionIsLong(t *testing.T) {
	for _, s := range sources(t) {
		for node := range ast.Preorder(s.file) {
			name := "a function literal"
			switch f := node.(type) {
			case *ast.FuncDecl:
				name = f.Name.Name
			case *ast.FuncLit:
			default:
				continue
			}
			if lines := s.line(node.End()) - s.line(node.Pos()) + 1; lines > maxFunctionLines {
				t.Errorf(
					"%s:%d: %s has %d lines; at most %d can be read at a glance", s.name, s.line(node.Pos()), name, lines,
					maxFunctionLines,
				)
			}
		}
	}
}

func TestNoFileIsLong(t *testing.T) {
	for _, s := range sources(t) {
		if lines := s.line(s.file.FileEnd); lines > maxFileLines {
			t.Errorf("%s has %d lines; at most %d", s.name, lines, maxFileLines)
		}
	}
}

// A column is a character, and a tab is one.
func TestNoLineIsLong(t *testing.T) {
	for _, s := range sources(t) {
		text, err := os.ReadFile(s.name)
		if err != nil {
			t.Fatal(err)
		}
		number := 0
		for line := range strings.Lines(string(text)) {
			number++
			if columns := utf8.RuneCountInString(strings.TrimRight(line, "\n")); columns > maxLineColumns {
				t.Errorf("%s:%d has %d columns; at most %d", s.name, number, columns, maxLineColumns)
			}
		}
	}
}

// Every package has a comment that says what it is.
func TestEveryPackageHasAComment(t *testing.T) {
	documented, dirs := map[string]bool{}, map[string]bool{}
	for _, s := range sources(t) {
		if s.isTest() {
			continue
		}
		dirs[path.Dir(s.name)] = true
		documented[path.Dir(s.name)] = documented[path.Dir(s.name)] || s.file.Doc != nil
	}
	for dir := range dirs {
		if !documented[dir] {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// Protocol code gets its clock from the caller: code that asks the machine for the time cannot be tested without
// waiting. The budget of storage/store.go is real time, as the deadline of a context is.
func TestProtocolCodeGetsItsClock(t *testing.T) {
	for _, s := range sources(t) {
		isProtocol := isAt(path.Dir(s.name), []string{"oidc", "trace", "idp", "idp/...", "storage"})
		if s.isTest() || s.name == "storage/store.go" || !isProtocol {
			continue
		}
		for node := range ast.Preorder(s.file) {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			if of, ok := selector.X.(*ast.Ident); ok && of.Name == "time" &&
				slices.Contains([]string{"Now", "Since", "Until", "After", "Tick", "Sleep"}, selector.Sel.Name) {
				t.Errorf("%s:%d uses time.%s; use the Now that the package is given", s.name, s.line(node.Pos()), selector.Sel.Name)
			}
		}
	}
}

// The parsers of net/url and net/http drop a parameter with a raw semicolon: oidc.ParseQuery and oidc.ParseForm are for
// every query and form. An address of a Redis server is neither.
func TestOneParserReadsQueriesAndForms(t *testing.T) {
	others := []string{
		"url.ParseQuery", "ParseForm", "Query", "FormValue", "PostFormValue", "QueryParam", "QueryParams", "FormParams",
	}
	for _, s := range sources(t) {
		if s.isTest() || slices.Contains([]string{"oidc/form.go", "storage/redis/url.go"}, s.name) ||
			strings.HasPrefix(s.name, "bench/peers/") || strings.HasPrefix(s.name, recipesFolder) { // of other people
			continue
		}
		for node := range ast.Preorder(s.file) {
			call, ok := node.(*ast.CallExpr)
			if !ok {
				continue
			}
			selector, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				continue
			}
			of, _ := selector.X.(*ast.Ident)
			if of != nil && of.Name == "oidc" {
				continue
			}
			if slices.Contains(others, selector.Sel.Name) ||
				of != nil && slices.Contains(others, of.Name+"."+selector.Sel.Name) {
				t.Errorf("%s:%d calls %s; use oidc.ParseQuery or oidc.ParseForm", s.name, s.line(node.Pos()), selector.Sel.Name)
			}
		}
	}
}
