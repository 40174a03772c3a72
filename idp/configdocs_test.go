package idp_test

import (
	"cmp"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/oidc"
)

// TestEveryKeyOfTheFileIsExplained wants each key of the configuration file in docs/configuration.md.
func TestEveryKeyOfTheFileIsExplained(t *testing.T) {
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keysOf(reflect.TypeFor[idp.Config](), map[reflect.Type]bool{}) {
		if !strings.Contains(string(page), key) {
			t.Errorf("docs/configuration.md does not say what %s is for", key)
		}
	}
}

// keysOf are the YAML keys of a struct and of those inside it.
func keysOf(of reflect.Type, seen map[reflect.Type]bool) []string {
	for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || seen[of] || of == reflect.TypeFor[time.Time]() ||
		of == reflect.TypeFor[oidc.KeySet]() {
		return nil
	}
	seen[of] = true
	var keys []string
	for field := range of.Fields() {
		name, _, _ := strings.Cut(cmp.Or(field.Tag.Get("yaml"), field.Tag.Get("json")), ",")
		if name != "" && name != "-" {
			keys = append(keys, name)
		}
		keys = append(keys, keysOf(field.Type, seen)...)
	}
	return keys
}
