package main

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
)

// schema has the fields of each struct type that was read, by their keys in the file: a file has many values of a type.
type schema map[reflect.Type]map[string]reflect.StructField

// field returns the field of a struct that has this key in the file.
func (s schema) field(t reflect.Type, key string) (reflect.StructField, bool) {
	if s[t] == nil {
		s[t] = map[string]reflect.StructField{}
		for _, field := range fieldsOf(t) {
			s[t][keyOf(field)] = field
		}
	}
	field, ok := s[t][key]
	return field, ok
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

// isSetting tells whether a setting has this key, at the top or below.
func isSetting(key string) bool { return hasKey(reflect.TypeFor[settings](), key) }

// hasKey tells whether a struct, or one that it leads to, has the key. No struct of the settings leads to itself.
func hasKey(t reflect.Type, key string) bool {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && slices.ContainsFunc(fieldsOf(t), func(field reflect.StructField) bool {
		return keyOf(field) == key || hasKey(field.Type, key)
	})
}

// keyOf is the field's key in the file. Like the YAML package it reads the tag json of a field without a tag yaml.
func keyOf(field reflect.StructField) string {
	key, _, _ := strings.Cut(cmp.Or(field.Tag.Get("yaml"), field.Tag.Get("json")), ",")
	return key
}
