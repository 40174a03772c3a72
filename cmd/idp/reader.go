package main

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/hush-idp/hush/cmd/variables"
	"github.com/hush-idp/hush/oidc"
)

// reader reads a configuration file into a struct. The struct's yaml tags are the keys, and the types of its fields
// are the forms of their values. So a key that takes a text gets the text as it is written, where the YAML library
// would make the number 83 of 0123, and a mistake is reported with the key and the expected form.
type reader struct {
	src     *source
	schema  schema
	aliases map[ast.Node]ast.Node // what each alias (*name) repeats
	depth   int                   // of the value that is read now
	values  int                   // number of values read so far; the values that an alias repeats count again
	wrong   []mistake
}

// The limits of a file. A file without aliases that repeat aliases is far below them.
const (
	maxDepth  = 50
	maxValues = 1_000_000
)

// read sets to, the value of path, from node. It reports mistakes.
func (r *reader) read(node ast.Node, to reflect.Value, path string) {
	if node == nil || !r.enter(node, path) {
		return
	}
	defer func() { r.depth-- }()
	r.src.lines[path] = lineOf(node.GetToken())
	node = r.resolve(node, path)
	t := to.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if node == nil || node.Type() == ast.NullType && !(isText(t) && node.GetToken().Type == token.NullType) {
		return // a key without a value counts as missing
	}
	if to.Kind() == reflect.Pointer {
		to.Set(reflect.New(t))
		to = to.Elem()
	}
	switch {
	case isText(t):
		r.readText(node, to, path)
	case reflect.PointerTo(t).Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]()):
		r.readUnmarshaler(node, to, path)
	case t == reflect.TypeFor[time.Duration]():
		r.readDuration(node, to, path)
	case t.Kind() == reflect.Bool:
		boolean, ok := node.(*ast.BoolNode)
		if r.want(ok, node, path, "a boolean: write true or false") {
			to.SetBool(boolean.Value)
		}
	case t.Kind() == reflect.Int:
		number, err := strconv.Atoi(node.GetToken().Value)
		ok := node.Type() == ast.IntegerType && err == nil && strconv.Itoa(number) == node.GetToken().Value
		r.want(ok, node, path, "a whole number: write one such as 3600")
		to.SetInt(int64(number))
	case t.Kind() == reflect.Slice:
		r.readList(node, to, path)
	case t.Kind() == reflect.Struct, t.Kind() == reflect.Map:
		r.readMapping(node, to, path)
	case t.Kind() == reflect.Interface:
		to.Set(reflect.ValueOf(r.claim(node, path)))
	}
}

// enter counts a value. It returns false if the value is nested too deeply, or exceeds the number of values: an alias
// inside its own anchor repeats without end.
func (r *reader) enter(node ast.Node, path string) bool {
	r.depth++
	r.values++
	if r.depth <= maxDepth && r.values <= maxValues {
		return true
	}
	r.depth--
	r.check(r.values > 2*maxValues, node, cmp.Or(path, "the file"),
		"holds too many values, or they are nested too deeply: look for an alias (*) inside its own anchor (&)")
	r.values = 3 * maxValues // nothing more is read
	return false
}

// eachNode is a visitor of ast.Walk. It is called for each node below the first one.
type eachNode func(ast.Node)

// Visit implements ast.Visitor.
func (v eachNode) Visit(node ast.Node) ast.Visitor {
	v(node)
	return v
}

// aliasesOf returns what each alias in the file repeats: the value of the last anchor of its name before it.
func aliasesOf(tree *ast.File) map[ast.Node]ast.Node {
	found, anchors := map[ast.Node]ast.Node{}, map[string]ast.Node{}
	for _, document := range tree.Docs {
		ast.Walk(eachNode(func(node ast.Node) {
			switch n := node.(type) {
			case *ast.AnchorNode:
				anchors[n.Name.String()] = n.Value
			case *ast.AliasNode:
				if value := anchors[n.Value.String()]; value != node {
					found[n] = value
				}
			}
		}), document)
	}
	return found
}

// tags are the standard tags of YAML. Only !!str changes how a value is read.
var tags = []string{"!!str", "!!int", "!!float", "!!bool", "!!null", "!!seq", "!!map"}

// resolve returns the node that an anchor, an alias or a tag stands for; nil for an alias of nothing.
func (r *reader) resolve(node ast.Node, path string) ast.Node {
	switch n := node.(type) {
	case *ast.AnchorNode:
		return r.resolve(n.Value, path)
	case *ast.AliasNode:
		repeated := r.aliases[n]
		r.check(repeated != nil, node, path, "repeats the value of &%s, and there is none before it: "+
			"write it there, or put quotes around a text that begins with *", n.Value)
		return r.resolve(repeated, path)
	case *ast.TagNode:
		r.check(slices.Contains(tags, n.Start.Value), node, path, "has the tag %s, which means nothing here: remove it, "+
			"or put quotes around a text that begins with !", n.Start.Value)
		if scalar, ok := n.Value.(ast.ScalarNode); ok && n.Start.Value == "!!str" {
			return &ast.StringNode{BaseNode: &ast.BaseNode{}, Token: scalar.GetToken(), Value: textOf(scalar)}
		}
		return r.resolve(n.Value, path)
	}
	return node
}

func (r *reader) readList(node ast.Node, to reflect.Value, path string) {
	form := "a list: write each entry on a line of its own after a dash, or [a, b]"
	if to.Type() == reflect.TypeFor[oidc.ClaimNames]() {
		if text, ok := node.(*ast.StringNode); ok && text.Value == oidc.AllClaims {
			to.Set(reflect.ValueOf(oidc.ClaimNames{oidc.AllClaims}))
			return
		}
		form = "a list of claims such as [name, email], or the word scope for all that the granted scopes cover"
	}
	list, ok := node.(*ast.SequenceNode)
	if !r.want(ok, node, path, form) {
		return
	}
	to.Set(reflect.MakeSlice(to.Type(), len(list.Values), len(list.Values)))
	for i, entry := range list.Values {
		r.read(entry, to.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// readMapping reads the keys and values of a struct or a map.
func (r *reader) readMapping(node ast.Node, to reflect.Value, path string) {
	mapping, ok := node.(ast.MapNode)
	if !r.want(ok, node, cmp.Or(path, "the file"),
		"a group of keys: write them below it, indented, each as key: value") {
		return
	}
	if to.Kind() == reflect.Map {
		to.Set(reflect.MakeMap(to.Type()))
	}
	all := r.entries(mapping, path)
	for i, e := range all {
		at := strings.TrimPrefix(path+"."+e.key, ".")
		if to.Kind() == reflect.Map {
			value := reflect.New(to.Type().Elem()).Elem()
			r.read(e.value, value, at)
			to.SetMapIndex(reflect.ValueOf(e.key), value)
			continue
		}
		if path == "" && strings.HasPrefix(e.key, "x-") {
			continue // holds values with anchors (&), which other keys repeat
		}
		other := slices.IndexFunc(all, e.isOtherForm)
		if other >= 0 && other < i && all[other].of != e.of {
			continue // e is merged, and the other form stands in the mapping itself, or was merged before
		}
		field, known := r.schema.field(to.Type(), e.key)
		if named, ok := r.namedFile(to.Type(), e.key); ok && !known {
			both := other >= 0 && all[other].of == e.of
			if r.check(!both, e.node, at, "stands beside %s: keep one of the two", strings.TrimSuffix(e.key, fileSuffix)) {
				r.readNamedFile(e, to.FieldByIndex(named.Index), strings.TrimSuffix(at, fileSuffix))
			}
			continue
		}
		if known {
			r.read(e.value, to.FieldByIndex(field.Index), at)
		} else {
			r.check(false, e.node, at, "%s", unknown(e.key, to.Type()))
		}
	}
}

// unknown returns the message about an unknown key of a struct. It proposes the keys with a similar spelling. It names
// a character that an editor may not show, such as a no-break space, or the byte order mark of a file that was appended
// to another one.
func unknown(key string, of reflect.Type) string {
	if i := strings.IndexFunc(key, func(r rune) bool { return r > unicode.MaxASCII }); i >= 0 {
		r, _ := utf8.DecodeRuneInString(key[i:])
		return fmt.Sprintf("is no known key: it has the character %U, which no key has, and which an editor may not show: "+
			"remove it", r)
	}
	var known []string
	for _, field := range fieldsOf(of) {
		known = append(known, keyOf(field))
	}
	if similar := variables.Similar(key, known); key != "" && len(similar) > 0 {
		return "is no known key: did you mean " + strings.Join(similar, " or ") + "? docs/configuration.md lists every key"
	}
	return "is no known key: correct the spelling or remove the line; docs/configuration.md lists every key"
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	node  ast.Node // the key
	value ast.Node
	of    ast.MapNode // the mapping in which it stands
}

// isOtherForm tells whether both keys give the same value, one as K and the other as K_file.
func (e entry) isOtherForm(other entry) bool {
	return e.key == other.key+fileSuffix || e.key+fileSuffix == other.key
}

// entries returns the keys of a mapping, each once: its own, and then those of the mappings that it merges (<<).
func (r *reader) entries(mapping ast.MapNode, path string) (all []entry) {
	var bases []ast.Node
	has := func(key string) bool { return slices.ContainsFunc(all, func(e entry) bool { return e.key == key }) }
	for each := mapping.MapRange(); each.Next(); {
		if each.Key().IsMergeKey() {
			bases = append(bases, each.Value())
			continue
		}
		e := entry{keyText(each.Key()), each.Key(), each.Value(), mapping}
		if r.check(!has(e.key), e.node, strings.TrimPrefix(path+"."+e.key, "."), "is there twice: remove one of the lines") {
			all = append(all, e)
		}
	}
	for _, base := range bases {
		for _, e := range r.merged(base, path) {
			if !has(e.key) {
				all = append(all, e)
			}
		}
	}
	return all
}

// merged returns the keys of a mapping that another one merges, or of a list of them.
func (r *reader) merged(base ast.Node, path string) (all []entry) {
	if !r.enter(base, path) {
		return nil
	}
	defer func() { r.depth-- }()
	switch n := r.resolve(base, path).(type) {
	case ast.MapNode:
		return r.entries(n, path)
	case *ast.SequenceNode:
		for _, each := range n.Values {
			all = append(all, r.merged(each, path)...)
		}
		return all
	case nil: // an alias of nothing, which is reported
		return nil
	}
	r.want(false, base, path+".<<", "a group of keys, or a list of groups: write <<: *name")
	return nil
}

// keyText is the text of a key.
func keyText(key ast.Node) string {
	switch k := key.(type) {
	case *ast.MappingKeyNode: // ? key
		return keyText(k.Value)
	case *ast.AnchorNode:
		return keyText(k.Value)
	case *ast.TagNode:
		return keyText(k.Value)
	}
	return key.GetToken().Value
}

func (r *reader) readUnmarshaler(node ast.Node, to reflect.Value, path string) {
	value := r.claim(node, path)
	err := to.Addr().Interface().(yaml.InterfaceUnmarshaler).UnmarshalYAML(func(given any) error {
		*given.(*any) = value
		return nil
	})
	r.want(err == nil, node, path, "a JWK Set (RFC 7517 §5): write keys: below it, and the keys as a list")
}

// want reports a value that does not have the form.
func (r *reader) want(ok bool, node ast.Node, path, form string) bool {
	return r.check(ok, node, path, "should be %s", form)
}

// check reports the mistake that the format and its arguments describe, unless ok.
func (r *reader) check(ok bool, node ast.Node, path, format string, args ...any) bool {
	if !ok {
		text := r.src.at(node.GetToken()) + path + ": " + fmt.Sprintf(format, args...)
		r.wrong = append(r.wrong, mistake{lineOf(node.GetToken()), text})
	}
	return ok
}
