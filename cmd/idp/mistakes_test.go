package main

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// goWords are what no message may show: names of Go types and fields.
var goWords = regexp.MustCompile(
	`time\.Duration|cannot unmarshal|Config\.|uint64|int64|\[\]string|struct|\bmap\[|reflect|strconv`)

// formsOf returns values that a key of type t must not have, and what the remedy has to say.
func formsOf(t reflect.Type) (wrong []string, remedy string) {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return []string{"10", `"10"`, "ten", "30d", "9999999h", "1.5", "true", "[1h]", "{a: 1h}"}, "such as 90s, 5m or 720h"
	case t == reflect.TypeFor[oidc.Secret](), t.Kind() == reflect.String:
		return []string{"[a]", "{a: b}"}, "should be a text"
	case t == reflect.TypeFor[oidc.KeySet]():
		return []string{"a", "[a]", "{keys: a}"}, "RFC 7517"
	case t.Kind() == reflect.Bool:
		return []string{"yes", "perhaps", "1", `"true"`, "[true]", "{a: true}"}, "write true or false"
	case t.Kind() == reflect.Int:
		return []string{"soon", "1.5", `"1"`, "99999999999999999999", "[1]", "{a: 1}"}, "a whole number"
	case t.Kind() == reflect.Slice:
		return []string{"a", "1", "{a: b}"}, "should be a list"
	default:
		return []string{"a", "1", "[a]"}, "should be a group of keys"
	}
}

// eachKey calls visit for every key of the file, with its path and a file that has a value of this key in place of %s.
func eachKey(t reflect.Type, path, before, indent string, visit func(path, file string, t reflect.Type)) {
	for _, field := range fieldsOf(t) {
		key, of := strings.TrimPrefix(path+"."+keyOf(field), "."), field.Type
		file := before + indent + keyOf(field) + ": %s"
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		visit(key, file, of)
		below := before + indent + keyOf(field) + ":\n"
		switch {
		case of == reflect.TypeFor[oidc.Secret](), of == reflect.TypeFor[oidc.KeySet]():
		case of.Kind() == reflect.Slice && of.Elem().Kind() == reflect.Struct && of.Elem() != reflect.TypeFor[oidc.Secret]():
			eachKey(of.Elem(), key+"[0]", below+indent+"  -\n", indent+"    ", visit)
		case of.Kind() == reflect.Slice:
			visit(key+"[0]", below+indent+"  - %s", of.Elem())
		case of.Kind() == reflect.Struct:
			eachKey(of, key, below, indent+"  ", visit)
		}
	}
}

func TestEveryKeyRefusesValuesOfAnotherForm(t *testing.T) {
	keys := 0
	eachKey(reflect.TypeFor[settings](), "", "", "", func(path, text string, of reflect.Type) {
		keys++
		values, remedy := formsOf(of)
		for _, value := range values {
			wantMistake(t, fmt.Sprintf(text, value)+"\n", path, remedy)
		}
	})
	if keys < 100 {
		t.Errorf("only %d keys were found", keys)
	}
}

func TestAnUnknownKeyIsNamedAtEachLevel(t *testing.T) {
	wantMistake(t, "nonsense: 1\n", "nonsense", "correct the spelling")
	eachKey(reflect.TypeFor[settings](), "", "", "", func(path, text string, of reflect.Type) {
		if of.Kind() != reflect.Struct || of == reflect.TypeFor[oidc.Secret]() || of == reflect.TypeFor[oidc.KeySet]() {
			return
		}
		wantMistake(t, fmt.Sprintf(text, "{nonsense: 1}")+"\n", path+".nonsense", "correct the spelling")
	})
}

// wantMistake wants one problem, at the last line of the text, with the key and the remedy and without words of Go.
func wantMistake(t *testing.T, text, path, remedy string) {
	t.Helper()
	name := file(t, text)
	_, err := parse(t, "--config", name).settings()
	start := fmt.Sprintf("%s:%d: %s: ", name, strings.Count(text, "\n"), path)
	if err == nil || !strings.HasPrefix(err.Error(), start) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%sgave %v\n; want one line that begins with %s", text, err, start)
		return
	}
	if said := strings.TrimPrefix(err.Error(), name); !strings.Contains(said, remedy) || goWords.MatchString(said) {
		t.Errorf("%sgave %v\n; want %q, and no words of Go", text, err, remedy)
	}
}

func TestAllMistakesOfFormAreToldAtOnce(t *testing.T) {
	name := file(t, "rotate_every: 30d\nrefresh: {grace: 10}\npar:\n  lifetime: 60\n")
	_, err := parse(t, "--config", name).settings()
	for _, want := range []string{":1: rotate_every: ", ":2: refresh.grace: ", ":4: par.lifetime: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %q in it", err, want)
		}
	}
}

// An anchor is a value that aliases repeat; a tag says of which type a value is.
func TestAnchorsAliasesAndTagsAreRead(t *testing.T) {
	s := mustSettings(t, "--config", file(t, "session: &times\n  idle: !!str 1h\n  absolute: &long 2h\nrefresh:\n"+
		"  <<: *times\n  absolute: *long\n"))
	if s.Session.Idle != time.Hour || s.Refresh.Idle != time.Hour || s.Refresh.Absolute != 2*time.Hour {
		t.Errorf("read as %v and %v", s.Session, s.Refresh)
	}
	wantMistake(t, "session:\n  idle: &ten ten\n", "session.idle", "such as 90s")
}

// wrongFlags has a wrong value for every flag that has a variable, and what the remedy has to say.
var wrongFlags = map[string]struct{ value, remedy string }{
	"config":             {"/nowhere/hush.yaml", "YAML file"},
	"config-json":        {`{"listen": [1]}`, "a text"},
	"ready-file":         {"/nowhere/ready.json", "a folder that exists"},
	"dev-hosts":          {"idp:8080", "without a port"},
	"back-channel-hosts": {"http://idp:8080", "such as idp:8080"},
	"listen":             {"here", "HOST:PORT"},
	"issuer":             {"login.example.com", "https://login.example.com"},
	"dev":                {"perhaps", "true, 1, yes, false, 0 or no"},
	"store":              {"nope:1", "memory, file:PATH"},
	"metrics-listen":     {"zzz", "HOST:PORT"},
	"cookie-keys":        {"short", "openssl rand -hex 32"},
	"log-level":          {"loud", "debug, info, warn, error"},
	"log-format":         {"xml", "neither text nor json"},
	"tls-cert":           {"cert.pem", "tls_key belong together"},
	"tls-key":            {"key.pem", "tls_cert belong together"},
	"tls-self-signed":    {"perhaps", "true, 1, yes, false, 0 or no"},
	"any-client":         {"perhaps", "true, 1, yes, false, 0 or no"},

	"login-hint-signs-in": {"perhaps", "true, 1, yes, false, 0 or no"},

	"fetch-allow-private": {"perhaps", "true, 1, yes, false, 0 or no"},
	"fetch-ca-file":       {"/nowhere/ca.pem", "cannot be read"},
}

func TestEveryFlagAndVariableRefusesAWrongValue(t *testing.T) {
	for _, names := range settingFlags {
		flag, variable := names[0], variableOf(names[0])
		row, ok := wrongFlags[flag]
		if !ok {
			t.Errorf("no wrong value of --%s is tried", flag)
			continue
		}
		t.Run("--"+flag, func(t *testing.T) { wantRefused(t, "--"+flag, row.remedy, "--"+flag+"="+row.value) })
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, row.value)
			wantRefused(t, variable, row.remedy)
		})
	}
}

// wantRefused wants an error that names the flag or the variable and says what to write.
func wantRefused(t *testing.T, name, remedy string, args ...string) {
	t.Helper()
	_, err := parse(t, args...).settings()
	said := fmt.Sprint(err)
	if err == nil || !strings.Contains(said, name) || !strings.Contains(said, remedy) || goWords.MatchString(said) {
		t.Errorf("got %v; want an error with %q and %q, and no words of Go", err, name, remedy)
	}
}

func TestFilesThatCannotBeReadAreNamedByKey(t *testing.T) {
	for text, want := range map[string]string{
		"signing_keys:\n  - alg: RS256\n    file: /nowhere/key.pem\n":                           ":3: signing_keys[0].file: ",
		"issuer: https://localhost:1\ntls_cert: /nowhere/cert.pem\ntls_key: /nowhere/key.pem\n": ":2: tls_cert: ",
	} {
		s := mustSettings(t, "--config", file(t, text))
		if err := s.checkFiles(); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "name ") {
			t.Errorf("%sgave %v; want %q in it", text, err, want)
		}
	}
}
