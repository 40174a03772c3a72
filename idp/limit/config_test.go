package limit_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/limit"
)

func read(t *testing.T, text string) limit.Config {
	t.Helper()
	var c limit.Config
	if err := yaml.UnmarshalWithOptions([]byte(text), &c, yaml.DisallowUnknownField()); err != nil {
		t.Fatal(err)
	}
	return c
}

func problems(c limit.Config) string {
	var paths []string
	c.Check(func(path, text string) {
		if !strings.Contains(text, "write") {
			path += " (does not say what to do)"
		}
		paths = append(paths, path)
	})
	return strings.Join(paths, " ")
}

func TestTheConfigurationIsReadAsItIsWritten(t *testing.T) {
	c := read(t, `
trusted_proxies: [10.0.0.0/8, "fd00::7"]
login: {per_address: 30/1m}
password: {per_address: off, per_user: 5/1h, per_user_and_address: "3/10m"}
token: {per_address: 100/1s, per_client: off}
push: {per_address: 9/1h}
registration: {per_address: 7/1h}
device: {per_address: 8/1h}
`)
	want := limit.Config{
		TrustedProxies: []string{"10.0.0.0/8", "fd00::7"},
		Login:          limit.AddressConfig{PerAddress: "30/1m"},
		Password:       limit.PasswordConfig{PerAddress: limit.Off, PerUser: "5/1h", PerUserAndAddress: "3/10m"},
		Token:          limit.TokenConfig{PerAddress: "100/1s", PerClient: limit.Off},
		Push:           limit.AddressConfig{PerAddress: "9/1h"},
		Registration:   limit.AddressConfig{PerAddress: "7/1h"},
		Device:         limit.AddressConfig{PerAddress: "8/1h"},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, loopback := range []bool{true, false} {
		if diff := cmp.Diff(want, c.WithDefaults(loopback)); diff != "" || problems(c) != "" {
			t.Errorf("with defaults (-want +got):\n%s%s", diff, problems(c))
		}
	}
}

func TestALoopbackIssuerLimitsWhatIsConfiguredOnly(t *testing.T) {
	c := read(t, "login: {per_address: 3/1m}").WithDefaults(true)
	if c.Login.PerAddress != "3/1m" || c.Token.PerAddress != limit.Off || c.Password.PerUser != limit.Off {
		t.Errorf("%+v", c)
	}
}

func TestAnIssuerThatOthersReachHasLimits(t *testing.T) {
	c := limit.Config{}.WithDefaults(false)
	for name, r := range map[string]limit.Rate{
		"login": c.Login.PerAddress, "token": c.Token.PerAddress, "push": c.Push.PerAddress, "client": c.Token.PerClient,
		"password": c.Password.PerAddress, "user": c.Password.PerUser, "user and address": c.Password.PerUserAndAddress,
	} {
		if r == "" || r == limit.Off {
			t.Errorf("%s is not limited", name)
		}
	}
	if problems(c) != "" {
		t.Errorf("the defaults have problems: %s", problems(c))
	}
	if !cmp.Equal(c.TrustedProxies, []string{"127.0.0.0/8", "::1/128"}) {
		t.Errorf("trusted are %v; want this machine", c.TrustedProxies)
	}
	if c = read(t, "trusted_proxies: []").WithDefaults(false); len(c.TrustedProxies) != 0 {
		t.Errorf("an empty list became %v", c.TrustedProxies)
	}
}

func TestEveryProblemIsToldWithItsPlace(t *testing.T) {
	c := limit.Config{
		TrustedProxies: []string{"10.0.0.1", "proxy"}, Login: limit.AddressConfig{PerAddress: "often"},
		Token: limit.TokenConfig{PerAddress: "1/1", PerClient: "0/1s"}, Password: limit.PasswordConfig{PerUser: "60"},
	}
	want := "login.per_address password.per_user token.per_address token.per_client trusted_proxies[1]"
	if got := problems(c); got != want {
		t.Errorf("problems at %s; want %s", got, want)
	}
}
