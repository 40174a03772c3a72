package grant

import (
	"time"

	"github.com/hush-idp/hush/oidc"
)

// Config is refresh: in the configuration, how long refresh tokens last: 720h idle and 8760h absolute by default. The
// refresh_token_lifetime of a client replaces the first.
type Config struct {
	oidc.Lifetime `yaml:",inline"`
	// Grace is how long a replaced token still gives its successor, for tabs that renew at the same time. nil: the
	// constant Grace. 0: there is no grace period.
	Grace *time.Duration `yaml:"grace"`
}

// longestGrace is short, because in the grace period the use of a stolen token is not detected.
const longestGrace = time.Minute

// WithDefaults returns c with defaults in place of zero values.
func (c Config) WithDefaults() Config {
	c.Lifetime = c.Lifetime.WithDefaults(30*24*time.Hour, 365*24*time.Hour)
	if c.Grace == nil {
		c.Grace = new(Grace)
	}
	return c
}

// Check reports what is wrong with c, completed by WithDefaults.
func (c Config) Check(report oidc.Report) {
	c.Lifetime.Check(report)
	report.AtMost("grace", *c.Grace, longestGrace)
}
