package oidc

import "fmt"

// Report receives what is wrong with a configuration: the path of the key, such as clients[1].redirect_uris[0], and a
// text that says what is wrong, what was expected and what to write.
type Report func(path, text string)

// When reports a mistake if wrong is true.
func (r Report) When(wrong bool, path, format string, a ...any) {
	if wrong {
		r(path, fmt.Sprintf(format, a...))
	}
}

// In returns a Report for the keys below prefix.
func (r Report) In(prefix string) Report {
	return func(path, text string) { r(prefix+"."+path, text) }
}
