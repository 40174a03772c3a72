package check

import (
	"cmp"
	_ "embed"
	"regexp"
	"slices"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/hush-idp/hush/trace"
)

// Library is a library that an app may use, with its remedies.
type Library struct {
	Name string `yaml:"name"`
	// Like names a library whose calls, remedies and response mode are the same, because it is inside this one.
	Like string `yaml:"like"`
	// Calls is the code for an action.
	Calls map[Action]string `yaml:"calls"`
	// ResponseMode is the only one with which the silent renewal of the library works; "": any.
	ResponseMode string `yaml:"response_mode"`
	// Renews says when the library renews, if that is no fixed time before the end of a token (trace.Libraries).
	Renews string `yaml:"renews"`
	// Signs are parameters of an authorization request by which the library is recognised, each with an expression.
	Signs map[string]string `yaml:"signs"`
	// Remedies are what to do when a check fails, by its name. The library Other has one for each check.
	Remedies map[string]string `yaml:"remedies"`
}

// Other is the name of the library whose remedies are about no library.
const Other = "other"

//go:embed libraries.yaml
var librariesFile []byte

// Libraries returns all libraries. The caller must not change them.
var Libraries = sync.OnceValue(func() (all []Library) {
	if err := yaml.UnmarshalWithOptions(librariesFile, &all, yaml.DisallowUnknownField()); err != nil {
		panic(err) // the file is embedded
	}
	for i, l := range all {
		if l.Like != "" {
			same, _ := find(all, l.Like)
			all[i].Calls, all[i].Remedies, all[i].ResponseMode = same.Calls, same.Remedies, same.ResponseMode
		}
	}
	return all
})

// LibraryByName returns the library; ok is false for an unknown name.
func LibraryByName(name string) (found Library, ok bool) { return find(Libraries(), name) }

func find(all []Library, name string) (Library, bool) {
	i := slices.IndexFunc(all, func(l Library) bool { return l.Name == name })
	if i < 0 {
		return Library{}, false
	}
	return all[i], true
}

// Infer returns the library whose signs the newest authorization request of the client has, else Other.
func Infer(clientID string, flows []trace.Flow) Library {
	for i := range flows {
		e := lastIn(&flows[i], func(r *trace.Record) bool { return r.ClientID == clientID && r.Fresh() })
		if e == nil {
			continue
		}
		for _, l := range Libraries() {
			if len(l.Signs) > 0 && l.isIn(e) {
				return l
			}
		}
	}
	other, _ := LibraryByName(Other)
	return other
}

// isIn reports whether the request has all signs of the library.
func (l Library) isIn(e *event) bool {
	for name, expression := range l.Signs {
		if !regexp.MustCompile(expression).MatchString(e.param(name)) {
			return false
		}
	}
	return true
}

// Offset is the fixed time by which the library renews before the end of a token; empty: it has none, or none is known.
func (l Library) Offset() trace.Library {
	known := trace.Libraries()
	i := slices.IndexFunc(known, func(k trace.Library) bool { return k.Name == cmp.Or(l.Like, l.Name) })
	if i < 0 {
		return trace.Library{}
	}
	return known[i]
}

// remedy is that of the library, or the common one.
func (l Library) remedy(name string) string {
	if text, ok := l.Remedies[name]; ok {
		return text
	}
	other, _ := LibraryByName(Other)
	return other.Remedies[name]
}
