package idp

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/idp/token"
)

// RefreshConfig limits refresh tokens.
type RefreshConfig struct {
	// Idle: a refresh token that is not used for so long expires; a client's refresh_token_lifetime wins.
	Idle time.Duration `yaml:"idle"`
	// Absolute: so long after the sign-in there are no more, however often they are used.
	Absolute time.Duration `yaml:"absolute"`
	// Grace is how long a token that was replaced still gives the one that replaced it, for tabs that renew at the same time. nil:
	// grant.Grace. 0: not at all.
	Grace *time.Duration `yaml:"grace"`
}

// The lifetimes of refresh tokens unless the configuration says otherwise.
const (
	defaultRefreshIdle     = 30 * 24 * time.Hour
	defaultRefreshAbsolute = 365 * 24 * time.Hour
)

// longestGrace: within it a stolen token works beside the true one, unnoticed.
const longestGrace = time.Minute

func (r RefreshConfig) withDefaults() RefreshConfig {
	r.Absolute = cmp.Or(r.Absolute, defaultRefreshAbsolute)
	r.Idle = cmp.Or(r.Idle, min(defaultRefreshIdle, r.Absolute))
	if r.Grace == nil {
		grace := grant.Grace
		r.Grace = &grace
	}
	return r
}

func (c Config) checkRefresh(p *Problems) {
	r := c.Refresh
	p.when(r.Idle < time.Second, "refresh.idle", "%v is less than a second: write a duration such as 720h", r.Idle)
	p.when(r.Absolute < time.Second, "refresh.absolute", "%v is less than a second: write a duration such as 8760h", r.Absolute)
	p.when(r.Idle > r.Absolute, "refresh.idle", "%v is longer than refresh.absolute, %v: shorten one or lengthen the other", r.Idle, r.Absolute)
	p.when(r.Grace != nil && (*r.Grace < 0 || *r.Grace > longestGrace), "refresh.grace", "%v is not between 0 and %v: write a duration such as 10s", r.Grace, longestGrace)
	for i, client := range c.Clients {
		p.when(client.RefreshTokenLifetime > r.Absolute, fmt.Sprintf("clients[%d].refresh_token_lifetime", i),
			"%v is longer than refresh.absolute, %v: shorten one or lengthen the other", client.RefreshTokenLifetime, r.Absolute)
		alg := client.IntrospectionSignedResponseAlg
		p.when(alg != "" && !slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.Alg == alg }),
			fmt.Sprintf("clients[%d].introspection_signed_response_alg", i), "%q has no signing key: add one to signing_keys, or choose another alg", alg)
	}
}

// checkResources: RFC 8707 §2: a resource is an absolute URI without a fragment.
func (c Config) checkResources(p *Problems) {
	for i, resource := range c.Resources {
		at := fmt.Sprintf("resources[%d]", i)
		u, err := url.Parse(resource)
		p.when(err != nil || !u.IsAbs() || strings.Contains(resource, "#"), at, "%q is no absolute URI without fragment: write one like https://api.example.com (RFC 8707 §2)", resource)
		p.when(slices.Contains(c.Resources[:i], resource), at, "%q is there already: remove one", resource)
	}
}

// KnownResources are the APIs that any client may ask access tokens for (RFC 8707).
func (c Config) KnownResources() []string {
	if slices.Contains(c.Resources, c.Audience) {
		return c.Resources
	}
	return append([]string{c.Audience}, c.Resources...)
}

// refresh is the part of it that the token endpoint needs.
func (c Config) refresh() token.Refresh {
	return token.Refresh{Idle: c.Refresh.Idle, Absolute: c.Refresh.Absolute}
}

// knows tells whether there still is such a user.
func (p *site) knows(sub string) bool {
	_, ok := p.users.BySub(sub)
	return ok
}

func newGrants(config Config, around Dependencies, now func() time.Time) *grant.Grants {
	grants := grant.New(around.Store, now, around.Random)
	grants.Grace = *config.Refresh.Grace
	return grants
}
