package main

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// readText reads a file in UTF-8, or in the encoding that its byte order mark names (YAML 1.2.2 §5.2): some editors and
// shells of Windows write UTF-16, or a mark before UTF-8.
// The name - means stdin.
func readText(name string) (text []byte, err error) {
	if name == fromStdin {
		name = "stdin"
		text, err = io.ReadAll(os.Stdin)
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, err
	}
	text, _, err = transform.Bytes(unicode.BOMOverride(transform.Nop), text)
	if err != nil {
		return nil, fmt.Errorf("%s: the file is cut in the middle of a character: save it again as UTF-8", name)
	}
	isNone := func(r rune) bool { return r == utf8.RuneError || r == 0 }
	if at := bytes.IndexFunc(text, isNone); at >= 0 {
		return nil, fmt.Errorf("%s:%d: a byte here is no character of UTF-8: save the file as UTF-8", name,
			bytes.Count(text[:at], []byte("\n"))+1)
	}
	return text, nil
}

// isText tells whether values of type t are written as one text.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) || t.Kind() == reflect.String
}

// textOf is the text of a scalar as it is written, without its quotes: 0123 stays 0123.
func textOf(scalar ast.ScalarNode) string {
	if block, ok := scalar.(*ast.LiteralNode); ok {
		return block.Value.Value
	}
	return scalar.GetToken().Value
}

// text returns the text of a value. It reports a value that is no text, and a text that the YAML library changes.
func (r *reader) text(node ast.Node, path string) (string, bool) {
	scalar, ok := node.(ast.ScalarNode)
	if !r.want(ok, node, path, "a text: write one value, in quotes if it has : or #") {
		return "", false
	}
	place := node.GetToken()
	hasTab := place.Type == token.StringType && strings.Contains(strings.TrimSpace(place.Origin), "\t")
	ok = r.check(place.Type != token.NullType, node, path, "is %s, which means no value in YAML: "+
		"put quotes around it if it is the text, or remove the line", place.Value) &&
		r.check(!hasTab, node, path, "has a tab in it: put quotes around the text")
	if !ok {
		return "", false
	}
	text, err := r.src.expand(textOf(scalar))
	return text, r.check(err == nil, node, path, "%v", err)
}

// variable matches ${NAME}, $${ for the two characters ${, and ${ with anything else behind it.
var variable = regexp.MustCompile(`\$\$\{|\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$\{`)

// expand replaces each ${NAME} in a text by the environment variable, without the blanks and line breaks around it.
func (src *source) expand(text string) (string, error) {
	var err error
	expanded := variable.ReplaceAllStringFunc(text, func(found string) string {
		if found == "$${" {
			return "${"
		}
		name := strings.Trim(found, "${}")
		src.variables[name] = true
		value := strings.TrimSpace(os.Getenv(name))
		switch {
		case name == "":
			err = errors.New("has a ${ that is not ${NAME}: write the name of an environment variable in letters, digits " +
				"and _, or $${ for a ${ in the text")
		case value == "":
			err = fmt.Errorf("needs the environment variable %s, which is not set or empty: set it, or write $${%s} if "+
				"this is the text itself", name, name)
		}
		return value
	})
	return expanded, err
}

// readNamedFile sets to, the value of a key K, from the file that K_file names: a text, or a list with an entry in each
// line.
func (r *reader) readNamedFile(e entry, to reflect.Value, path string) {
	r.src.lines[path] = lineOf(e.value.GetToken())
	var name string
	r.read(e.value, reflect.ValueOf(&name).Elem(), path+fileSuffix)
	if name == "" {
		r.check(len(r.wrong) > 0, e.node, path+fileSuffix, "names no file: write its path, or remove the line")
		return
	}
	content, err := readText(name)
	text := strings.TrimSpace(string(content))
	if !r.check(err == nil, e.value, path+fileSuffix, "the file cannot be read: %v; name one that this user can read",
		err) ||
		!r.check(text != "", e.value, path+fileSuffix, "%s is empty: write the value of %s into it", name, path) {
		return
	}
	if to.Kind() != reflect.Slice {
		r.setText(text, e.value, to, path)
		return
	}
	for _, line := range lineBreak.Split(text, -1) {
		entry := reflect.New(to.Type().Elem()).Elem()
		r.setText(line, e.value, entry, path)
		to.Set(reflect.Append(to, entry))
	}
}

// lineBreak matches line breaks with the blanks around them.
var lineBreak = regexp.MustCompile(`\s*\n\s*`)

// fileSuffix ends the name of a key whose value is the name of a file with the value.
const fileSuffix = "_file"

// namedFile returns the field K for a key K_file, where K takes a text or a list of texts.
func (r *reader) namedFile(t reflect.Type, key string) (reflect.StructField, bool) {
	name, ok := strings.CutSuffix(key, fileSuffix)
	field, known := r.schema.field(t, name)
	return field, ok && known && (isText(field.Type) || field.Type.Kind() == reflect.Slice && isText(field.Type.Elem()))
}

func (r *reader) readText(node ast.Node, to reflect.Value, path string) {
	text, ok := r.text(node, path)
	if ok {
		r.setText(text, node, to, path)
	}
}

// setText sets to, the value of path. A text is one line. A line break in it is a mistake that is easily made, because
// | and > in YAML leave one at the end.
func (r *reader) setText(text string, node ast.Node, to reflect.Value, path string) {
	if !r.check(!strings.ContainsAny(text, "\r\n"), node, path,
		"has a line break: remove it, or write |- or >- in place of | or >") {
		return
	}
	if special, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok {
		err := special.UnmarshalText([]byte(text))
		r.check(err == nil, node, path, "%v", err)
		return
	}
	to.SetString(text)
}

func (r *reader) readDuration(node ast.Node, to reflect.Value, path string) {
	scalar, ok := node.(ast.ScalarNode)
	text := ""
	if ok {
		var err error
		if text, err = r.src.expand(textOf(scalar)); !r.check(err == nil, node, path, "%v", err) {
			return
		}
	}
	duration, err := time.ParseDuration(text)
	ok = err == nil && node.Type() != ast.IntegerType // 0 is a duration to Go, and a number to YAML
	r.want(ok, node, path, "a duration: write a number and its unit (s, m or h), such as 90s, 5m or 720h")
	to.SetInt(int64(duration))
}

// claim returns a value of free form: texts, numbers, booleans, and lists and groups of them.
func (r *reader) claim(node ast.Node, path string) any {
	switch n := node.(type) {
	case ast.MapNode:
		var group map[string]any
		r.readMapping(node, reflect.ValueOf(&group).Elem(), path)
		return group
	case *ast.SequenceNode:
		var list []any
		r.readList(node, reflect.ValueOf(&list).Elem(), path)
		return list
	case *ast.BoolNode:
		return n.Value
	case *ast.StringNode, *ast.LiteralNode:
		if node.GetToken().Type != token.StringType || !numberLike.MatchString(node.GetToken().Value) {
			text, _ := r.text(node, path)
			return text
		}
	}
	return r.number(node, path)
}

// numberLike matches numbers in the forms of YAML 1.2 and JSON that the YAML library reads as texts.
var numberLike = regexp.MustCompile(`^[-+]?[0-9]+(\.[0-9]*)?([eE][-+]?[0-9]+)?$`)

// exactNumber is the largest whole number that every program reads from JSON as it is (RFC 8259 §6).
const exactNumber = 1<<53 - 1

// number returns a number of a claim. It reports a number that JSON would write in another form: 01234, 1.10, 0x1F.
func (r *reader) number(node ast.Node, path string) any {
	text := node.GetToken().Value
	whole, err := strconv.ParseInt(text, 10, 64)
	if err == nil && strconv.FormatInt(whole, 10) == text && -exactNumber <= whole && whole <= exactNumber {
		return whole
	}
	number, err := strconv.ParseFloat(text, 64)
	same := err == nil && strings.Contains(text, ".") && strconv.FormatFloat(number, 'f', -1, 64) == text
	r.check(same, node, path, "%s would change when it is read as a number: put quotes around it if it is a text; "+
		"a number has the form of 42 or 1.5", text)
	return number
}
