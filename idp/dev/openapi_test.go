package dev_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/hush-idp/hush/idp/dev/console"
	"github.com/hush-idp/hush/idp/dev/lab"
	"github.com/hush-idp/hush/oidc"
)

// TestOpenAPI makes the document of the routes and of the types that they name, with the comments of their fields. So
// the document says what the code does.
func TestOpenAPI(t *testing.T) {
	d := &openAPIWriter{comments: commentsOf(t), schemas: object{}, types: map[string]reflect.Type{}}
	got, err := json.MarshalIndent(d.whole(), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	got = append(got, '\n')
	if *update {
		if err := os.WriteFile("console/openapi.json", got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(got, console.OpenAPI) {
		t.Error("openapi.json is not what the routes say: run go test ./idp/dev -update, and " +
			"read the difference")
	}
}

type object = map[string]any

// openAPIWriter has the OpenAPI document while it is made (https://spec.openapis.org/oas/v3.1.0.html).
type openAPIWriter struct {
	comments map[string]string // by type, and by type.field
	schemas  object
	types    map[string]reflect.Type // of the schemas
}

func (d *openAPIWriter) whole() object {
	paths := map[string]object{}
	for _, r := range console.Routes() {
		at := console.Path + r.Path
		if paths[at] == nil {
			paths[at] = object{}
		}
		paths[at][strings.ToLower(r.Method)] = d.operation(r)
	}
	refusal := object{"type": "object", "properties": object{
		"error": object{"type": "string"}, "error_description": object{"type": "string"},
	}}
	d.schemas["Error"] = refusal
	return object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Hush: the API for development and tests", "version": "1",
			"description": "Only a provider in development mode has this API. A program sends JSON with Content-Type: " +
				"application/json. A script of a page sends the header X-Hush-CSRF too.",
		},
		"servers":    []any{object{"url": "http://localhost:8080"}},
		"paths":      paths,
		"components": object{"schemas": d.schemas},
	}
}

var inBraces = regexp.MustCompile(`\{(\w+)\}`)

func (d *openAPIWriter) operation(r console.Route) object {
	parameters := []any{}
	for _, found := range inBraces.FindAllStringSubmatch(r.Path, -1) {
		parameters = append(parameters, object{
			"name": found[1], "in": "path", "required": true, "schema": object{"type": "string"},
		})
	}
	for _, p := range r.Query {
		parameters = append(parameters, object{
			"name": p.Name, "in": "query", "description": p.Does, "schema": object{"type": "string"},
		})
	}
	operation := object{"summary": r.Does, "responses": object{
		"4XX":             object{"description": "Refused.", "content": inJSON(ref("Error"))},
		statusOf(r.Gives): d.answer(r.Gives),
	}}
	if len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if r.Takes != nil {
		operation["requestBody"] = object{"required": true, "content": inJSON(d.schema(reflect.TypeOf(r.Takes)))}
	}
	return operation
}

func statusOf(gives any) string {
	if gives == nil {
		return "204"
	}
	return "200"
}

func (d *openAPIWriter) answer(gives any) object {
	switch of := gives.(type) {
	case nil:
		return object{"description": "Done."}
	case console.Text:
		return object{"description": "The answer.", "content": object{string(of): object{}}}
	}
	return object{"description": "The answer.", "content": inJSON(d.schema(reflect.TypeOf(gives)))}
}

func inJSON(schema object) object { return object{"application/json": object{"schema": schema}} }

func ref(name string) object { return object{"$ref": "#/components/schemas/" + name} }

// special are the types whose JSON is not that of their Go type.
var special = map[reflect.Type]object{
	reflect.TypeFor[time.Time]():       {"type": "string", "format": "date-time"},
	reflect.TypeFor[lab.Duration]():    {"type": "string", "description": "a duration such as 30s, 10m or 1h30m"},
	reflect.TypeFor[oidc.Secret]():     {"type": "string"},
	reflect.TypeFor[jose.JSONWebKey](): {"type": "object", "description": "a JWK (RFC 7517)"},
	reflect.TypeFor[oidc.KeySet]():     {"type": "object", "description": "a JWK Set (RFC 7517)"},
}

// schema is the JSON Schema of the type.
func (d *openAPIWriter) schema(t reflect.Type) object {
	if known, ok := special[t]; ok {
		return known
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[encoding.TextMarshaler]()) {
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64, reflect.Uint64:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Slice, reflect.Array:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Interface:
		return object{}
	case reflect.Struct:
		return d.named(t)
	}
	return object{"type": "string"}
}

// named adds the struct to the schemas, and refers to it.
func (d *openAPIWriter) named(t reflect.Type) object {
	name := strings.ToUpper(t.Name()[:1]) + t.Name()[1:]
	switch d.types[name] {
	case t:
		return ref(name)
	case nil:
	default:
		panic("two types of the API have the name " + name + ": rename one")
	}
	d.types[name] = t // first, because a type may contain itself
	properties := object{}
	d.addFields(properties, t)
	d.schemas[name] = object{"type": "object", "properties": properties, "description": d.comments[keyOf(t)]}
	return ref(name)
}

func (d *openAPIWriter) addFields(properties object, t reflect.Type) {
	if t.Name() == "clientBody" { // it has the members of a client, and no comments of its own
		t = reflect.TypeFor[oidc.Client]()
	}
	for field := range t.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			d.addFields(properties, field.Type)
			continue
		case name == "" || name == "-":
			continue
		}
		schema := d.schema(field.Type)
		if t == reflect.TypeFor[oidc.Client]() && field.Type == reflect.TypeFor[time.Duration]() {
			schema = special[reflect.TypeFor[lab.Duration]()]
		}
		described := object{}
		for key, value := range schema {
			described[key] = value
		}
		if comment := d.comments[keyOf(t)+"."+field.Name]; comment != "" {
			described["description"] = comment
		}
		properties[name] = described
	}
}

// keyOf is console.userBody.
func keyOf(t reflect.Type) string { return path.Base(t.PkgPath()) + "." + t.Name() }

// commentsOf reads the comments of the types and of their fields in the packages that the routes name.
func commentsOf(t *testing.T) map[string]string {
	t.Helper()
	comments := map[string]string{}
	for _, dir := range []string{"console", "lab", "check", "../token", "../../trace", "../../oidc"} {
		full, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range files {
			file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			addComments(comments, filepath.Base(full), file)
		}
	}
	return comments
}

func addComments(comments map[string]string, pkg string, file *ast.File) {
	for node := range ast.Preorder(file) {
		declared, ok := node.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, spec := range declared.Specs {
			of, ok := spec.(*ast.TypeSpec)
			if !ok {
				continue
			}
			key := pkg + "." + of.Name.Name
			comments[key] = textOf(declared.Doc)
			fields, ok := of.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					comments[key+"."+name.Name] = strings.TrimSpace(textOf(field.Doc) + " " + textOf(field.Comment))
				}
			}
		}
	}
}

func textOf(group *ast.CommentGroup) string { return strings.Join(strings.Fields(group.Text()), " ") }
