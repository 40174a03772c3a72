package limit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Config is limits: in the configuration. Its zero value, completed by WithDefaults, limits nothing on a loopback
// issuer and is generous elsewhere.
type Config struct {
	// TrustedProxies are the addresses and networks whose X-Forwarded-For is believed. nil: this machine's own.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Login limits POST /login.
	Login AddressConfig `yaml:"login"`
	// Password limits wrong passwords, on top of Login.
	Password PasswordConfig `yaml:"password"`
	// Token limits POST at /token, /par and /device_authorization, and wrong client secrets at /introspect and /revoke.
	Token TokenConfig `yaml:"token"`
	// Registration limits POST and PUT at /register.
	Registration AddressConfig `yaml:"registration"`
	// Device limits wrong codes at /device.
	Device AddressConfig `yaml:"device"`
}

// AddressConfig limits requests by where they come from.
type AddressConfig struct {
	PerAddress Rate `yaml:"per_address"`
}

// TokenConfig limits token requests by where they come from, and tokens by the confidential client that gets them.
type TokenConfig struct {
	PerAddress Rate `yaml:"per_address"`
	PerClient  Rate `yaml:"per_client"`
}

// PasswordConfig limits wrong passwords: from one address whoever the user is, for one user wherever they come from,
// and for one user from one address.
type PasswordConfig struct {
	PerAddress        Rate `yaml:"per_address"`
	PerUser           Rate `yaml:"per_user"`
	PerUserAndAddress Rate `yaml:"per_user_and_address"`
}

// defaults are for an issuer that others can reach. An address may be that of a whole company. NIST SP 800-63B §5.2.2:
// "the verifier SHALL limit consecutive failed authentication attempts on a single account to no more than 100".
// https://pages.nist.gov/800-63-3/sp800-63b.html#throttle
var defaults = map[string]Rate{
	"login.per_address":             "300/1m",
	"password.per_address":          "60/1m",
	"password.per_user":             "100/1h",
	"password.per_user_and_address": "10/10m",
	"token.per_address":             "6000/1m",
	"token.per_client":              "60000/1m",
	"registration.per_address":      "60/1h",
	"device.per_address":            "20/10m",
}

// ownMachine is where a proxy stands unless the configuration says otherwise.
var ownMachine = []string{"127.0.0.0/8", "::1/128"}

// rates are all rates of c by their paths.
func (c *Config) rates() map[string]*Rate {
	return map[string]*Rate{
		"login.per_address":             &c.Login.PerAddress,
		"password.per_address":          &c.Password.PerAddress,
		"password.per_user":             &c.Password.PerUser,
		"password.per_user_and_address": &c.Password.PerUserAndAddress,
		"token.per_address":             &c.Token.PerAddress,
		"token.per_client":              &c.Token.PerClient,
		"registration.per_address":      &c.Registration.PerAddress,
		"device.per_address":            &c.Device.PerAddress,
	}
}

// WithDefaults returns c with what it leaves open filled in: off for a loopback issuer, which only this machine can
// reach and which tests hammer.
func (c Config) WithDefaults(loopback bool) Config {
	for path, r := range c.rates() {
		switch {
		case *r != "":
		case loopback:
			*r = Off
		default:
			*r = defaults[path]
		}
	}
	if c.TrustedProxies == nil {
		c.TrustedProxies = ownMachine
	}
	return c
}

// List is each rate by its path below limits, sorted: "login.per_address 300/1m".
func (c Config) List() []string {
	var list []string
	for path, r := range c.rates() {
		list = append(list, path+" "+string(cmp.Or(*r, Off)))
	}
	slices.Sort(list)
	return list
}

// Check reports all that is wrong with c: where, as a path below limits, and what was expected.
func (c Config) Check(report func(path, text string)) {
	rates := c.rates()
	for _, path := range slices.Sorted(maps.Keys(rates)) {
		if err := rates[path].Check(); err != nil {
			report(path, err.Error())
		}
	}
	for i, proxy := range c.TrustedProxies {
		if _, err := parseNetwork(proxy); err != nil {
			report(fmt.Sprintf("trusted_proxies[%d]", i), err.Error())
		}
	}
}
