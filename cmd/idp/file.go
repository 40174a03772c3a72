package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/hush-idp/hush/idp"
)

// source is the configuration, mostly a file; it finds the line of a problem.
type source struct {
	name      string
	lines     map[string]int  // of each value, by its path
	variables map[string]bool // the environment variables that values name as ${NAME}
}

// fromStdin is the name that stands for stdin.
const fromStdin = "-"

// read reads the configuration: inline, the text itself, or else the file called name. Without both there is none.
// Unknown keys and values of another form are errors.
func (src *source) read(name, inline string) (s settings, err error) {
	switch {
	case inline != "" && name != "":
		return s, errors.New("--config-json or HUSH_CONFIG_JSON: stands beside --config or HUSH_CONFIG: keep one of the two")
	case inline != "":
		return src.parse("--config-json or HUSH_CONFIG_JSON", []byte(inline))
	case name == "":
		return s, nil
	}
	text, err := readText(name)
	if unreadable, ok := errors.AsType[*os.PathError](err); ok {
		return s, fmt.Errorf("--config or HUSH_CONFIG: the file cannot be read: %w; name a YAML file, or leave it out",
			unreadable)
	}
	if err != nil {
		return s, err
	}
	if name == fromStdin {
		name = "stdin"
	}
	return src.parse(name, text)
}

// parse reads the text, which errors call name.
func (src *source) parse(name string, text []byte) (s settings, err error) {
	src.name, src.lines, src.variables = name, map[string]int{}, map[string]bool{}
	err = src.decode(text, &s)
	return s, err
}

// decode reads the text into s. The YAML library panics at some texts; that is an error of the file too.
func (src *source) decode(text []byte, s *settings) (err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("%s: this is no YAML that can be read: look for aliases (*), anchors (&), tags (!) and "+
				"brackets in odd places, and see docs/configuration.md", src.name)
		}
	}()
	tokens := lexer.Tokenize(string(text))
	if err := src.checkNesting(tokens); err != nil {
		return err
	}
	tree, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // the reader reports duplicates
	if failed, ok := errors.AsType[yaml.Error](err); ok {
		return errors.New(src.at(failed.GetToken()) + failed.GetMessage() + aboutPlace(failed.GetMessage(), text,
			failed.GetToken()) + aboutVariables(text, failed.GetToken()))
	}
	if err != nil {
		return err
	}
	tree.Docs = slices.DeleteFunc(tree.Docs, isDirective)
	if len(tree.Docs) > 1 {
		second := tree.Docs[1]
		begin := second.Start
		if begin == nil && second.Body != nil {
			begin = second.Body.GetToken()
		}
		return fmt.Errorf("%sa second document begins here and would not be read: remove the ---", src.at(begin))
	}
	r := &reader{src: src, schema: schema{}, aliases: aliasesOf(tree)}
	for _, document := range tree.Docs {
		r.read(document.Body, reflect.ValueOf(s).Elem(), "")
	}
	if len(r.wrong) == 0 {
		return nil
	}
	return joined(r.wrong)
}

// aboutVariables is advice about a line that is no YAML and has a ${NAME}: { begins a group of keys inside [ ] and { }.
func aboutVariables(text []byte, place *token.Token) string {
	lines := strings.Split(string(text), "\n")
	if at := lineOf(place); at == 0 || at > len(lines) || !strings.Contains(lines[at-1], "${") {
		return ""
	}
	return "; put quotes around a text with ${NAME} inside [ ] and { }"
}

// aboutPlace is advice about a text that is no YAML because something stands where it cannot: the column, and the key
// there if a setting has its name. The rest of the line may hold a secret.
func aboutPlace(message string, text []byte, place *token.Token) string {
	lines := strings.Split(string(text), "\n")
	at := lineOf(place)
	isOutOfPlace := strings.Contains(message, "not allowed in this context") ||
		strings.Contains(message, "unexpected key name") || strings.Contains(message, "non-map value is specified")
	if !isOutOfPlace || at == 0 || at > len(lines) {
		return ""
	}
	here := fmt.Sprintf(": column %d", place.Position.Column)
	if key, _, isKey := strings.Cut(strings.TrimLeft(lines[at-1], " -"), ":"); isKey && isSetting(key) {
		here += fmt.Sprintf(" of the line that begins with %q", key+":")
	}
	return here + "; check the indentation, and the colon behind each key, in this line and in those beside it"
}

// isDirective reports a directive such as %YAML 1.2, which the YAML library returns as a document of its own.
func isDirective(document *ast.DocumentNode) bool {
	return document.Body != nil && document.Body.Type() == ast.DirectiveType
}

// at is "hush.yaml:12: ", or "hush.yaml: " where the YAML library does not know the line.
func (src *source) at(place *token.Token) string {
	if line := lineOf(place); line > 0 {
		return fmt.Sprintf("%s:%d: ", src.name, line)
	}
	return src.name + ": "
}

func lineOf(place *token.Token) int {
	if place == nil || place.Position == nil {
		return 0
	}
	return place.Position.Line
}

// locate adds to each problem where it came from, and joins them to one error; nil for none.
func (src *source) locate(problems idp.Problems, given flags) error {
	if len(problems) == 0 {
		return nil
	}
	all := make([]mistake, len(problems))
	for i, problem := range problems {
		all[i].text = src.place(problem.Path, given) + problem.Path + ": " + problem.Text
		if given.name(problem.Path) == "" {
			all[i].line = src.line(problem.Path)
		}
	}
	return joined(all)
}

// mistake is a mistake of the file, and its line; 0 for one that the file does not have.
type mistake struct {
	line int
	text string
}

// joined returns all mistakes as one error, in the order of the file.
func joined(all []mistake) error {
	slices.SortStableFunc(all, func(a, b mistake) int { return cmp.Compare(a.line, b.line) })
	texts := make([]string, len(all))
	for i, each := range all {
		texts[i] = each.text
	}
	return errors.New(strings.Join(texts, "\n"))
}

// place is "hush.yaml:12: ", or the flag and variable that the value came from.
func (src *source) place(path string, given flags) string {
	if flag := given.name(path); flag != "" {
		return flag + ": "
	}
	if line := src.line(path); line > 0 {
		return fmt.Sprintf("%s:%d: ", src.name, line)
	}
	return ""
}

// line returns the line of path, or of the nearest key above it that the file has; 0 if there is none.
func (src *source) line(path string) int {
	for path != "" && src.lines[path] == 0 {
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	if path == "" {
		return 0
	}
	return src.lines[path]
}
