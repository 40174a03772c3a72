package authorize

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// PARConfig is par: in the configuration, how long a pushed request may be used.
type PARConfig struct {
	Lifetime time.Duration `yaml:"lifetime"` // from 5s (RFC 9126 §2.2), less than 600s (FAPI 2.0 §5.3.2.2); default: 90s
}

// WithDefaults returns c with defaults in place of zero values.
func (c PARConfig) WithDefaults() PARConfig {
	c.Lifetime = cmp.Or(c.Lifetime, 90*time.Second)
	return c
}

// Check reports what is wrong with c.
func (c PARConfig) Check(report oidc.Report) {
	report.When(c.Lifetime < 5*time.Second || c.Lifetime >= 10*time.Minute, "lifetime",
		"%v is not between 5s and 10m (RFC 9126 §2.2; FAPI 2.0 §5.3.2.2: less than 600 seconds)", c.Lifetime)
}

// WithDefaults returns l, or the built-in levels if l is empty: "1" is a password, "0" is anything weaker.
func (l Levels) WithDefaults() Levels {
	if len(l) == 0 {
		return Levels{{Value: "1", AMR: []string{"pwd"}}, {Value: "0", AMR: []string{"user", "pwd"}}}
	}
	return l
}

// Check reports what is wrong with acr_values.
func (l Levels) Check(report oidc.Report) {
	seen := map[string]bool{}
	for i, level := range l {
		report := report.In(fmt.Sprintf("acr_values[%d]", i))
		report.When(level.Value == "" || strings.ContainsFunc(level.Value, oidc.NotInScope), "value",
			"%q is no acr value: write a word or a URI without spaces", level.Value)
		report.When(seen[level.Value], "value", "%s is there already: remove one", level.Value)
		report.When(len(level.AMR) == 0, "amr", "is empty: list the ways to sign in that reach it, such as pwd")
		for j, amr := range level.AMR {
			report.When(amr != "pwd" && amr != "user", fmt.Sprintf("amr[%d]", j),
				"%q is no way to sign in here: write pwd (a password) or user (one click, in development mode)", amr)
		}
		seen[level.Value] = true
	}
}
