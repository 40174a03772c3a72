package session

import (
	"cmp"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Config is session: in the configuration, how long a sign-in lasts.
type Config struct {
	// Idle is how long a session lasts that is not used. Default: 2h, a lunch break.
	Idle time.Duration `yaml:"idle"`
	// Absolute is how long a session lasts from its first sign-in. Default: 12h, a working day.
	Absolute time.Duration `yaml:"absolute"`
}

// WithDefaults returns c with what it leaves open filled in.
func (c Config) WithDefaults() Config {
	c.Absolute = cmp.Or(c.Absolute, 12*time.Hour)
	c.Idle = cmp.Or(c.Idle, min(2*time.Hour, c.Absolute))
	return c
}

// Check reports what is wrong with c.
func (c Config) Check(report oidc.Report) {
	report.When(c.Idle < time.Second, "idle", "%v is less than a second: write a duration such as 2h", c.Idle)
	report.When(c.Absolute < time.Second, "absolute", "%v is less than a second: write a duration such as 12h", c.Absolute)
	report.When(c.Idle > c.Absolute, "idle",
		"%v is longer than session.absolute, %v: shorten one or lengthen the other", c.Idle, c.Absolute)
}
