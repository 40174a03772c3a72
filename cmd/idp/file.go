package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/hush-idp/hush/idp"
)

// source is the configuration file, kept to tell where in it a problem is.
type source struct {
	name string
	tree *ast.File
}

// read reads the file called name; without a name there is none. Unknown keys and wrong types are errors with file and line.
func (src *source) read(name string) (settings, error) {
	var s settings
	if name == "" {
		return s, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return s, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	src.name = name
	err = src.decode(text, &s)
	return s, err
}

// decode reads the text into s. The YAML library panics at some nonsense, which is a mistake in the file all the same.
func (src *source) decode(text []byte, s *settings) (err error) {
	defer func() {
		if recover() != nil {
			src.tree, err = nil, fmt.Errorf("%s: this is no YAML that can be read: look for aliases (*), anchors (&), tags (!) and "+
				"brackets in odd places, and see docs/configuration.md", src.name)
		}
	}()
	if src.tree, err = parser.ParseBytes(text, 0); err != nil {
		return src.explain(err)
	}
	if err := src.check(); err != nil || len(bytes.TrimSpace(text)) == 0 {
		return err
	}
	return src.explain(yaml.UnmarshalWithOptions(text, s, yaml.DisallowUnknownField()))
}

// check finds what the YAML library would take, or refuse without saying where.
func (src *source) check() error {
	if len(src.tree.Docs) > 1 {
		return fmt.Errorf("%sa second document begins here and would not be read: remove the ---", src.at(beginning(src.tree.Docs[1])))
	}
	durations := &durationCheck{}
	for _, document := range src.tree.Docs {
		ast.Walk(durations, document)
	}
	if wrong := durations.wrong; wrong != nil {
		return fmt.Errorf("%s%s is no duration: write a number and its unit, such as 90s, 5m or 2h", src.at(wrong.GetToken()), wrong)
	}
	return nil
}

// beginning is the first token of a document, which may have no content; nil if it has none.
func beginning(document *ast.DocumentNode) *token.Token {
	if document.Start == nil && document.Body != nil {
		return document.Body.GetToken()
	}
	return document.Start
}

// at is "hush.yaml:12: ", or "hush.yaml: " where the YAML library does not know the line.
func (src *source) at(place *token.Token) string {
	if place == nil || place.Position == nil {
		return src.name + ": "
	}
	return fmt.Sprintf("%s:%d: ", src.name, place.Position.Line)
}

// durationCheck is an ast.Visitor that keeps the first entry whose value should be a duration and is none.
type durationCheck struct{ wrong ast.Node }

// Visit implements ast.Visitor.
func (c *durationCheck) Visit(node ast.Node) ast.Visitor {
	entry, ok := node.(*ast.MappingValueNode)
	if !ok || c.wrong != nil {
		return c
	}
	switch entry.Key.String() {
	case "claims": // are called as their users like
		return nil
	case "idle", "absolute", "access_token_lifetime", "id_token_lifetime":
		if _, err := time.ParseDuration(entry.Value.GetToken().Value); err != nil {
			c.wrong = entry
		}
	}
	return c
}

// explain turns an error of the YAML library into file, line and what to do.
func (src *source) explain(err error) error {
	failed, ok := errors.AsType[yaml.Error](err)
	if err == nil || !ok {
		return err
	}
	text := failed.GetMessage()
	if _, unknown := errors.AsType[*yaml.UnknownFieldError](err); unknown {
		text += ": correct the spelling or remove the line; docs/configuration.md lists every key"
	}
	return errors.New(src.at(failed.GetToken()) + text)
}

// locate puts to each problem where it came from, and joins them to one error; nil for none.
func (src *source) locate(problems idp.Problems, given flags) error {
	if len(problems) == 0 {
		return nil
	}
	lines := make([]string, len(problems))
	for i, problem := range problems {
		lines[i] = src.place(problem.Path, given) + problem.String()
	}
	return errors.New(strings.Join(lines, "\n"))
}

// place is "hush.yaml:12: ", or the flag or variable that the value came from.
func (src *source) place(path string, given flags) string {
	if flag := given.name(path); flag != "" {
		return flag + ": "
	}
	if line := src.line(path); line > 0 {
		return fmt.Sprintf("%s:%d: ", src.name, line)
	}
	return ""
}

// line finds the line of path, or of the nearest thing around it that the file has; 0 if it has none.
func (src *source) line(path string) int {
	for src.tree != nil && path != "" {
		if at, err := yaml.PathString("$." + path); err == nil {
			if node, err := at.FilterFile(src.tree); err == nil && node != nil {
				return node.GetToken().Position.Line
			}
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// name is the flag or environment variable that set the value at path, or empty.
func (f flags) name(path string) string {
	path, _, _ = strings.Cut(path, "[")
	set := map[string]bool{
		"listen": f.Listen != "", "issuer": f.Issuer != "", "dev": f.Dev != nil, "log_level": f.LogLevel != "",
		"log_format": f.LogFormat != "", "tls_cert": f.TLSCert != "", "tls_key": f.TLSKey != "",
		"tls_self_signed": f.TLSSelfSigned != nil, "cookie_keys": len(f.CookieKeys) > 0,
	}
	if !set[path] {
		return ""
	}
	return "--" + strings.ReplaceAll(path, "_", "-") + " or HUSH_" + strings.ToUpper(path)
}
