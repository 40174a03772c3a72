package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

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
	if src.tree, err = parser.ParseBytes(text, 0); err != nil {
		return s, src.explain(err)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return s, nil
	}
	return s, src.explain(yaml.UnmarshalWithOptions(text, &s, yaml.DisallowUnknownField()))
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
	return fmt.Errorf("%s:%d: %s", src.name, failed.GetToken().Position.Line, text)
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
	set := map[string]bool{
		"listen": f.Listen != "", "issuer": f.Issuer != "", "dev": f.Dev != nil, "log_level": f.LogLevel != "",
		"log_format": f.LogFormat != "", "tls_cert": f.TLSCert != "", "tls_self_signed": f.TLSSelfSigned != nil,
		"cookie_keys[0]": len(f.CookieKeys) > 0,
	}
	if !set[path] {
		return ""
	}
	name, _, _ := strings.Cut(path, "[")
	return "--" + strings.ReplaceAll(name, "_", "-") + " or HUSH_" + strings.ToUpper(name)
}
