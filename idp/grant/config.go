package grant

import (
	"cmp"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Config is refresh: in the configuration, how long refresh tokens last.
type Config struct {
	// Idle is how long a refresh token lasts that is not used; a client's refresh_token_lifetime wins. Default: 720h.
	Idle time.Duration `yaml:"idle"`
	// Absolute is how long after the sign-in refresh tokens end, however often they are used. Default: 8760h.
	Absolute time.Duration `yaml:"absolute"`
	// Grace is how long a replaced token still gives its successor, for tabs that renew at the same time. nil: the
	// constant Grace. 0: not at all.
	Grace *time.Duration `yaml:"grace"`
}

// longestGrace: within the grace period a stolen token works beside the true one, unnoticed.
const longestGrace = time.Minute

// WithDefaults returns c with what it leaves open filled in.
func (c Config) WithDefaults() Config {
	c.Absolute = cmp.Or(c.Absolute, 365*24*time.Hour)
	c.Idle = cmp.Or(c.Idle, min(30*24*time.Hour, c.Absolute))
	if c.Grace == nil {
		grace := Grace
		c.Grace = &grace
	}
	return c
}

// Check reports what is wrong with c, completed by WithDefaults.
func (c Config) Check(report oidc.Report) {
	report.When(c.Idle < time.Second, "idle", "%v is less than a second: write a duration such as 720h", c.Idle)
	report.When(c.Absolute < time.Second, "absolute",
		"%v is less than a second: write a duration such as 8760h", c.Absolute)
	report.When(c.Idle > c.Absolute, "idle",
		"%v is longer than refresh.absolute, %v: shorten one or lengthen the other", c.Idle, c.Absolute)
	report.When(*c.Grace < 0 || *c.Grace > longestGrace, "grace",
		"%v is not between 0 and %v: write a duration such as 10s", *c.Grace, longestGrace)
}
