package config

import (
	"fmt"
	"strings"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
)

// power is a setting that is safe only where nobody else can reach the provider.
type power struct {
	key     string
	isOn    bool
	isLegal bool   // the issuer allows it
	refusal string // the problem if it is on and not legal
	warning string // what it allows; empty: it needs no warning
}

const developmentOnly = "is for development mode on a loopback issuer only: remove it"

// powers are all of them. Check refuses each that is not legal, and OptIns names each that is on and has a warning.
func (c Config) powers() []power {
	legal := c.Development()
	return []power{
		{"any_client", c.AnyClient, legal, developmentOnly,
			"is on: a client that is not registered is let in if its redirect_uri has a loopback host or one of dev_hosts, " +
				"with any secret; the console lists each, with the YAML that registers it"},
		{"login_hint_signs_in", c.LoginHintSignsIn, legal, developmentOnly,
			"is on: a request with login_hint signs that user in, without a page and without a password"},
		{"code_lifetime", c.CodeLifetime > grant.CodeLifetime, legal, developmentOnly,
			fmt.Sprintf("is %v: a code that leaks can be used for longer than the usual %v", c.CodeLifetime,
				grant.CodeLifetime)},
		{"dev_hosts", len(c.DevHosts) > 0, legal,
			"is for development only, and " + c.Issuer + " is none of them: remove it, or give the issuer one of these hosts",
			"is set (" + strings.Join(c.DevHosts, ", ") + "): everybody who reaches these hosts can sign in as any user, make " +
				"tokens and change the provider, and can read what travels by plain http; use it in a network of your own only, " +
				"with test data only"},
		{"back_channel_hosts", len(c.BackChannelHosts) > 0, legal, developmentOnly,
			"is set (" + strings.Join(c.BackChannelHosts, ", ") + "): programs that reach these hosts can make tokens and " +
				"change the provider"},
		{"layouts", len(c.Layouts) > 0, legal, developmentOnly, ""},
		{"console_origins", len(c.ConsoleOrigins) > 0, legal, developmentOnly, ""},
		{"built_in", c.BuiltIn, c.Loopback(),
			"adds users with public passwords, so it is for a loopback issuer only: remove it", ""},
	}
}

func (c Config) checkPowers(report oidc.Report) {
	for _, power := range c.powers() {
		report.When(power.isOn && !power.isLegal, power.key, "%s", power.refusal)
	}
}

// OptIns describes each power of development mode that is off by default and that the configuration turns on.
func (c Config) OptIns() (texts []string) {
	for _, power := range c.powers() {
		if power.isOn && power.warning != "" {
			texts = append(texts, power.key+" "+power.warning)
		}
	}
	return texts
}
