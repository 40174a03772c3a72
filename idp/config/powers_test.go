package config

import (
	"strings"
	"testing"
	"time"
)

// powerRows turn each power on.
var powerRows = map[string]func(*Config){
	"any_client":          func(c *Config) { c.AnyClient = true },
	"login_hint_signs_in": func(c *Config) { c.LoginHintSignsIn = true },
	"code_lifetime":       func(c *Config) { c.CodeLifetime = 10 * time.Minute },
	"dev_hosts":           func(c *Config) { c.DevHosts = []string{"idp"} },
	"back_channel_hosts":  func(c *Config) { c.BackChannelHosts = []string{"idp:8080"} },
	"layouts":             func(c *Config) { c.Layouts = []string{"http://idp.localhost:8080"} },
	"console_origins":     func(c *Config) { c.ConsoleOrigins = []string{"http://app.localhost:9090"} },
	"built_in":            func(c *Config) { c.BuiltIn = true },
}

func TestEachPowerIsRefusedInProductionAndToldInDevelopment(t *testing.T) {
	for _, power := range (Config{}).powers() {
		turnOn := powerRows[power.key]
		if turnOn == nil {
			t.Errorf("no row turns %s on: add one", power.key)
			continue
		}
		for issuer, isRefused := range map[string]bool{"https://login.example.com": true, DefaultIssuer: false} {
			c := Config{Issuer: issuer}
			turnOn(&c)
			c = c.WithDefaults()
			err := c.Check(nil)
			says := err != nil && strings.Contains(err.Error()+"\n", power.key+": "+power.refusalStart())
			if says != isRefused {
				t.Errorf("%s at %s: the problems are %v", power.key, issuer, err)
			}
			isTold := strings.Contains(strings.Join(c.OptIns(), "\n"), power.key+" is ")
			if !isRefused && isTold != (power.warning != "") {
				t.Errorf("%s at %s: the warnings are %q", power.key, issuer, c.OptIns())
			}
		}
	}
}

// refusalStart is the part of the refusal that does not depend on the issuer.
func (p power) refusalStart() string {
	start, _, _ := strings.Cut(p.refusal, ", and ")
	return start
}
