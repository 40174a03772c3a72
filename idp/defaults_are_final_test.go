package idp_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/hush-idp/hush/idp"
	"github.com/hush-idp/hush/idp/users"
	"github.com/hush-idp/hush/oidc"
)

// Reload completes a configuration that is complete already, so the second time changes nothing.
func TestDefaultsAreCompleteAtOnce(t *testing.T) {
	off := false
	for name, config := range map[string]idp.Config{
		"no configuration":   {},
		"a production one":   {Issuer: "https://login.example.com"},
		"a loopback one":     {Issuer: "http://localhost:9", Dev: &off},
		"built-in and own":   {BuiltIn: true, Users: []users.User{{Username: "dana", Password: "x"}}},
		"other signing keys": {SigningKeys: []idp.SigningKey{{Alg: "ES256"}}, Session: oidc.Lifetime{Idle: time.Minute}},
		"own clients": {Clients: []oidc.Client{
			{ClientID: "a", ClientSecret: oidc.NewSecret("secret")},
			{ClientID: "b", ClientSecret: oidc.NewSecret("a secret of 32 characters or more"),
				TokenEndpointAuthMethod: oidc.AuthMethodSecretJWT},
		}},
	} {
		once := config.WithDefaults()
		if twice := once.WithDefaults(); !reflect.DeepEqual(once, twice) {
			t.Errorf("%s: the defaults of a complete configuration are\n%+v\nexpected\n%+v", name, twice, once)
		}
	}
}
