package rp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"

	"github.com/hush-idp/hush/oidc"
)

// provider is the OpenID provider at the far end, discovered when it is first needed.
type provider struct {
	issuer  string
	address string // where it is reached, in words
	client  *http.Client
	attempt singleflight.Group
	found   atomic.Pointer[discovered]
}

// discovered is a provider whose discovery document has been read and names the expected issuer.
type discovered struct {
	*gooidc.Provider
	metadata oidc.Metadata
}

func newProvider(issuer, backChannelURL string) *provider {
	address := issuer
	if backChannelURL != "" {
		address = fmt.Sprintf("%s (the back channel of %s)", backChannelURL, issuer)
	}
	return &provider{issuer: issuer, address: address, client: newClient(issuer, backChannelURL)}
}

// discover returns what is known of the provider, asking it (OpenID Connect Discovery 1.0 §4) unless that has succeeded
// before. Callers that come at the same time share one request; each gives up on its own when its ctx ends. After a
// failure the next caller asks again. The error is always an *oidc.Error.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	if d := p.found.Load(); d != nil {
		return d, nil
	}
	shared := context.WithoutCancel(ctx)
	result := p.attempt.DoChan("", func() (any, error) { return p.ask(shared) })
	select {
	case <-ctx.Done():
		return nil, p.down(ctx.Err())
	case r := <-result:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*discovered), nil
	}
}

func (p *provider) ask(ctx context.Context) (*discovered, error) {
	if d := p.found.Load(); d != nil { // by an attempt that ended just before this one began
		return d, nil
	}
	found, err := gooidc.NewProvider(p.context(ctx), p.issuer)
	if err != nil {
		return nil, p.explain(err)
	}
	d := &discovered{Provider: found}
	if err := found.Claims(&d.metadata); err != nil {
		return nil, p.explain(err)
	}
	if err := checkEndpoints(p.issuer, d.metadata); err != nil {
		return nil, p.explain(err)
	}
	p.found.Store(d)
	return d, nil
}

// endpoints are the addresses that a discovery document gives, and which of them it must give (Discovery §3).
func endpoints(m oidc.Metadata) (required, optional map[string]string) {
	required = map[string]string{
		"authorization_endpoint": m.AuthorizationEndpoint,
		"token_endpoint":         m.TokenEndpoint,
		"jwks_uri":               m.JWKSURI,
	}
	optional = map[string]string{
		"userinfo_endpoint":                     m.UserinfoEndpoint,
		"end_session_endpoint":                  m.EndSessionEndpoint,
		"revocation_endpoint":                   m.RevocationEndpoint,
		"pushed_authorization_request_endpoint": m.PushedAuthorizationRequestEndpoint,
		"check_session_iframe":                  m.CheckSessionIframe,
	}
	maps.DeleteFunc(optional, func(_, uri string) bool { return uri == "" })
	return required, optional
}

// checkEndpoints: Discovery §3. The browser is sent to some of them, so anything but http(s) is refused; and the secrets of an https
// provider do not travel in the clear ("This URL MUST use the https scheme").
func checkEndpoints(issuer string, m oidc.Metadata) error {
	all, optional := endpoints(m)
	maps.Copy(all, optional)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		origin := oidc.Origin(all[name])
		switch {
		case origin == "":
			return fmt.Errorf("%s is %q, expected an http(s) URL (Discovery section 3)", name, all[name])
		case strings.HasPrefix(oidc.Origin(issuer), "https:") && !strings.HasPrefix(origin, "https:"):
			return fmt.Errorf("%s is %q, expected an https URL as the issuer's (Discovery section 3)", name, all[name])
		}
	}
	return nil
}

// context makes go-oidc and oauth2 use the back channel.
func (p *provider) context(ctx context.Context) context.Context {
	return gooidc.ClientContext(ctx, p.client)
}

// explain puts a failed discovery into words.
func (p *provider) explain(err error) *oidc.Error {
	if mismatch, ok := errors.AsType[*gooidc.IssuerMismatchError](err); ok {
		return IssuerMismatch.Errorf("the provider at %s calls itself %s, expected %s: set Issuer to that, byte for byte (Discovery section 4.3)",
			p.address, mismatch.Discovered, mismatch.Provided).Because(err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.down(err)
	}
	return ProviderDown.Errorf("the provider at %s gave no usable discovery document: %s: is it an OpenID provider, and the address right?",
		p.address, clip(err.Error())).Because(err)
}

// down says that no answer came at all.
func (p *provider) down(err error) *oidc.Error {
	reason := err
	if failed, ok := errors.AsType[*url.Error](err); ok {
		reason = failed.Err
	}
	return ProviderDown.Errorf("the provider is unreachable at %s: %v: is it running?", p.address, reason).Because(err)
}

// noKeys says why the document at jwks_uri cannot be used.
func (p *provider) noKeys(err error) *oidc.Error {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.down(err)
	}
	return ProviderDown.Errorf("the provider's jwks_uri gives no keys: %s", clip(err.Error())).Because(err)
}

// getJSON reads a JSON document of the provider's.
func (p *provider) getJSON(ctx context.Context, uri string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, uri, nil)
	if err != nil {
		return err
	}
	response, err := p.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", uri, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// oauth2 returns the client's half of the conversation. How the client authenticates is added on the way: see attempts.
func (d *discovered) oauth2(c Config, silent bool) *oauth2.Config {
	endpoint := d.Endpoint()
	endpoint.AuthStyle = oauth2.AuthStyleInParams
	return &oauth2.Config{ClientID: c.ClientID, Endpoint: endpoint, RedirectURL: c.redirectURI(silent), Scopes: c.Scopes}
}

func (c Config) redirectURI(silent bool) string {
	if silent {
		return c.SilentRedirectURI
	}
	return c.RedirectURI
}

// withParams puts params into the query of uri, in place of those of the same names. uri has been checked before.
func withParams(uri string, params url.Values) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	query := u.Query()
	maps.Copy(query, params)
	u.RawQuery = query.Encode()
	return u.String()
}
