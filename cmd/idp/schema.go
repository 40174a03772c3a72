package main

import (
	"cmp"
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// schema compares a configuration file with the struct that it is decoded into. It knows each key and the form of its
// value from the struct's yaml tags, so it can name the key and the expected form where the YAML library would name a
// Go type.
type schema struct {
	src     *source
	anchors map[string]ast.Node
	wrong   []string // a line for each mistake
}

// check reports the mistakes in node, the value of path, which is decoded into a t.
func (c *schema) check(node ast.Node, t reflect.Type, path string) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	node = c.resolve(node)
	if node == nil || node.Type() == ast.NullType {
		return // a key without a value counts as missing
	}
	_, isScalar := node.(ast.ScalarNode)
	switch {
	case reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextUnmarshaler]()), t.Kind() == reflect.String:
		c.want(isScalar, node, path, "a text: write one value, in quotes if it has : or #")
	case reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]()):
		_, isMapping := node.(ast.MapNode)
		c.want(isMapping && yaml.NodeToValue(node, reflect.New(t).Interface()) == nil, node, path,
			"a JWK Set (RFC 7517 §5): write keys: below it, and the keys as a list")
	case t == reflect.TypeFor[time.Duration]():
		_, err := time.ParseDuration(node.GetToken().Value)
		isNumber := node.Type() == ast.IntegerType // 0 is a duration to Go, and a number to YAML
		c.want(isScalar && !isNumber && err == nil, node, path,
			"a duration: write a number and its unit (s, m or h), such as 90s, 5m or 720h")
	case t.Kind() == reflect.Bool:
		c.want(node.Type() == ast.BoolType, node, path, "a boolean: write true or false")
	case t.Kind() == reflect.Int:
		_, err := strconv.Atoi(node.GetToken().Value)
		c.want(node.Type() == ast.IntegerType && err == nil, node, path, "a whole number: write one such as 3600")
	case t.Kind() == reflect.Slice:
		c.checkList(node, t, path)
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		c.checkMapping(node, t, path)
	}
}

// resolve returns the node that an anchor, an alias or a tag stands for; nil for an alias of nothing.
func (c *schema) resolve(node ast.Node) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		c.anchors[n.Name.String()] = n.Value
		return c.resolve(n.Value)
	case *ast.AliasNode:
		return c.anchors[n.Value.String()]
	case *ast.TagNode:
		return c.resolve(n.Value)
	}
	return node
}

func (c *schema) checkList(node ast.Node, t reflect.Type, path string) {
	list, ok := node.(*ast.SequenceNode)
	if !c.want(ok, node, path, "a list: write each entry on a line of its own after a dash, or [a, b]") {
		return
	}
	for i, entry := range list.Values {
		c.check(entry, t.Elem(), fmt.Sprintf("%s[%d]", path, i))
	}
}

// checkMapping checks the keys and values of a struct or a map. The values of a map[string]any are free.
func (c *schema) checkMapping(node ast.Node, t reflect.Type, path string) {
	mapping, ok := node.(ast.MapNode)
	if !c.want(ok, node, cmp.Or(path, "the file"),
		"a group of keys: write them below it, indented, each as key: value") {
		return
	}
	for entries := mapping.MapRange(); entries.Next(); {
		if entries.Key().IsMergeKey() {
			c.check(entries.Value(), t, path)
			continue
		}
		key := entries.Key().GetToken().Value
		at := strings.TrimPrefix(path+"."+key, ".")
		switch value, known := valueType(t, key); {
		case !known:
			c.report(entries.Key(), at,
				"is no known key: correct the spelling or remove the line; docs/configuration.md lists every key")
		case value.Kind() != reflect.Interface:
			c.check(entries.Value(), value, at)
		}
	}
}

// valueType is the type of the value at key in a struct or a map.
func valueType(t reflect.Type, key string) (reflect.Type, bool) {
	if t.Kind() == reflect.Map {
		return t.Elem(), true
	}
	field, ok := fieldOf(t, key)
	return field.Type, ok
}

// fieldOf returns the field of a struct that has this key in the file.
func fieldOf(t reflect.Type, key string) (reflect.StructField, bool) {
	for _, field := range fieldsOf(t) {
		if keyOf(field) == key {
			return field, true
		}
	}
	return reflect.StructField{}, false
}

// fieldsOf returns the fields of a struct that have a key in the file, and the fields of an inlined struct.
func fieldsOf(t reflect.Type) (fields []reflect.StructField) {
	for _, field := range reflect.VisibleFields(t) {
		if name := keyOf(field); name != "" && name != "-" {
			fields = append(fields, field)
		}
	}
	return fields
}

// keyOf is the field's key in the file. Like the YAML package it reads the tag json of a field without a tag yaml.
func keyOf(field reflect.StructField) string {
	key, _, _ := strings.Cut(cmp.Or(field.Tag.Get("yaml"), field.Tag.Get("json")), ",")
	return key
}

func (c *schema) want(ok bool, node ast.Node, path, form string) bool {
	if !ok {
		c.report(node, path, "should be "+form)
	}
	return ok
}

func (c *schema) report(node ast.Node, path, text string) {
	c.wrong = append(c.wrong, c.src.at(node.GetToken())+path+": "+text)
}
