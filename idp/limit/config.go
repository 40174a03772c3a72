package limit

import (
	"cmp"
	"fmt"

	"github.com/hush-idp/hush/oidc"
)

// Config is limits: in the configuration. Its zero value, completed by WithDefaults, limits nothing on a loopback
// issuer and is generous elsewhere.
type Config struct {
	// TrustedProxies are the addresses and networks of proxies whose X-Forwarded-For is used. nil: only this machine.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Login limits POST /login.
	Login AddressConfig `yaml:"login"`
	// Password limits wrong passwords, on top of Login.
	Password PasswordConfig `yaml:"password"`
	// Token limits POST at /token, /par and /device_authorization, and wrong client secrets at /introspect and /revoke.
	Token TokenConfig `yaml:"token"`
	// Push limits POST at /par and /device_authorization by public clients, on top of Token.
	Push AddressConfig `yaml:"push"`
	// Registration limits POST and PUT at /register.
	Registration AddressConfig `yaml:"registration"`
	// Device limits wrong codes at /device.
	Device AddressConfig `yaml:"device"`
}

// AddressConfig limits requests by address.
type AddressConfig struct {
	PerAddress Rate `yaml:"per_address"`
}

// TokenConfig limits token requests by address, and issued tokens by confidential client.
type TokenConfig struct {
	PerAddress Rate `yaml:"per_address"`
	PerClient  Rate `yaml:"per_client"`
}

// PasswordConfig limits wrong passwords: from one address for any user, for one user from any address,
// and for one user from one address.
type PasswordConfig struct {
	PerAddress        Rate `yaml:"per_address"`
	PerUser           Rate `yaml:"per_user"`
	PerUserAndAddress Rate `yaml:"per_user_and_address"`
}

// setting is one rate of the configuration: its path below limits, and its default for an issuer that is not loopback.
type setting struct {
	path string
	rate *Rate
	def  Rate
}

// settings lists all rates of c, sorted. The defaults suit an address that a whole company shares. NIST SP 800-63B
// §5.2.2: "the verifier SHALL limit consecutive failed authentication attempts on a single account to no more than
// 100". https://pages.nist.gov/800-63-3/sp800-63b.html#throttle
func (c *Config) settings() []setting {
	return []setting{
		{"device.per_address", &c.Device.PerAddress, "20/10m"},
		{"login.per_address", &c.Login.PerAddress, "300/1m"},
		{"password.per_address", &c.Password.PerAddress, "60/1m"},
		{"password.per_user", &c.Password.PerUser, "100/1h"},
		{"password.per_user_and_address", &c.Password.PerUserAndAddress, "10/10m"},
		{"push.per_address", &c.Push.PerAddress, "600/1m"},
		{"registration.per_address", &c.Registration.PerAddress, "60/1h"},
		{"token.per_address", &c.Token.PerAddress, "6000/1m"},
		{"token.per_client", &c.Token.PerClient, "60000/1m"},
	}
}

// WithDefaults returns c with defaults in place of zero values. A loopback issuer has no limits, because only this
// machine can reach it.
func (c Config) WithDefaults(loopback bool) Config {
	for _, s := range c.settings() {
		if loopback {
			s.def = Off
		}
		*s.rate = cmp.Or(*s.rate, s.def)
	}
	if c.TrustedProxies == nil {
		c.TrustedProxies = []string{"127.0.0.0/8", "::1/128"} // a proxy on this machine
	}
	return c
}

// List returns each rate with its path below limits, sorted: "login.per_address 300/1m".
func (c Config) List() []string {
	var list []string
	for _, s := range c.settings() {
		list = append(list, s.path+" "+string(cmp.Or(*s.rate, Off)))
	}
	return list
}

// Check reports what is wrong with c.
func (c Config) Check(report oidc.Report) {
	for _, s := range c.settings() {
		if err := s.rate.Check(); err != nil {
			report(s.path, err.Error())
		}
	}
	for i, proxy := range c.TrustedProxies {
		if _, err := parseNetwork(proxy); err != nil {
			report(fmt.Sprintf("trusted_proxies[%d]", i), err.Error())
		}
	}
}
