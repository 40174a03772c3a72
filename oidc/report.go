package oidc

import (
	"cmp"
	"fmt"
	"time"
)

// Report receives one mistake of a configuration: the path of the key, such as clients[1].redirect_uris[0], and a text
// that says what is wrong, what was expected and what to write.
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

// AtMost reports a duration that is negative or more than most.
func (r Report) AtMost(path string, d, most time.Duration) {
	r.When(d < 0 || d > most, path, "%v is not between 0 and %v: write a duration such as %v", d, most, most/6)
}

// Lifetime is how long something lasts, in the configuration.
type Lifetime struct {
	Idle     time.Duration `yaml:"idle"`     // from the last use
	Absolute time.Duration `yaml:"absolute"` // from the sign-in, however often it is used
}

// WithDefaults returns l with defaults in place of zero values.
func (l Lifetime) WithDefaults(idle, absolute time.Duration) Lifetime {
	l.Absolute = cmp.Or(l.Absolute, absolute)
	l.Idle = cmp.Or(l.Idle, min(idle, l.Absolute))
	return l
}

// Check reports what is wrong with l.
func (l Lifetime) Check(report Report) {
	report.When(l.Idle < time.Second, "idle", "%v is less than a second: write a duration such as 2h", l.Idle)
	report.When(l.Absolute < time.Second, "absolute", "%v is less than a second: write a duration such as 12h", l.Absolute)
	report.When(l.Idle > l.Absolute, "idle",
		"%v is longer than absolute, %v: shorten one or lengthen the other", l.Idle, l.Absolute)
}
