package rp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"golang.org/x/sync/singleflight"

	"github.com/hush-idp/hush/oidc"
)

const (
	exchangeTimeout = 10 * time.Second // for one request to the provider, its body included
	maxResponse     = 1 << 20          // bytes; discovery, keys and tokens are a few kilobytes
)

// provider is the OpenID provider, discovered when it is first needed.
type provider struct {
	issuer      string
	address     string // the issuer, and the back channel if there is one: for error texts
	client      *http.Client
	discovering singleflight.Group
	found       atomic.Pointer[discovered]
}

// discovered is a provider whose discovery document has been read and names the expected issuer.
type discovered struct {
	metadata oidc.Metadata
}

func newProvider(issuer, backChannelURL string) *provider {
	address := issuer
	if backChannelURL != "" {
		address = fmt.Sprintf("%s (the back channel of %s)", backChannelURL, issuer)
	}
	return &provider{issuer: issuer, address: address, client: newHTTPClient(issuer, backChannelURL)}
}

// discover returns the provider's metadata (OpenID Connect Discovery 1.0 §4). It asks the provider until one request
// has succeeded; callers at the same time share one request. The error is always an *oidc.Error.
func (p *provider) discover(ctx context.Context) (*discovered, error) {
	if d := p.found.Load(); d != nil {
		return d, nil
	}
	return shareCall(ctx, p, &p.discovering, "", p.fetchMetadata)
}

// shareCall calls f once for all callers that ask for key at the same time. Each caller waits until its own ctx ends.
func shareCall[T any](
	ctx context.Context, p *provider, group *singleflight.Group, key string, f func(context.Context) (T, error),
) (value T, err error) {
	shared := context.WithoutCancel(ctx)
	result := group.DoChan(key, func() (any, error) { return f(shared) })
	select {
	case <-ctx.Done():
		return value, p.down(ctx.Err())
	case r := <-result:
		value, _ = r.Val.(T)
		return value, r.Err
	}
}

func (p *provider) fetchMetadata(ctx context.Context) (*discovered, error) {
	if d := p.found.Load(); d != nil { // a request that ended just before this one began
		return d, nil
	}
	found, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.client), p.issuer)
	if err != nil {
		return nil, p.explain(err)
	}
	metadata, err := p.readMetadata(found)
	if err != nil {
		return nil, p.explain(err)
	}
	d := &discovered{metadata}
	p.found.Store(d)
	return d, nil
}

// readMetadata reads the members by their exact names, and checks issuer once more, because go-oidc accepts ISSUER.
func (p *provider) readMetadata(found *gooidc.Provider) (m oidc.Metadata, err error) {
	var document json.RawMessage
	if err := found.Claims(&document); err != nil {
		return m, err
	}
	if err := josejson.Unmarshal(document, &m); err != nil {
		return m, err
	}
	if m.Issuer != p.issuer {
		return m, &gooidc.IssuerMismatchError{Provided: p.issuer, Discovered: m.Issuer}
	}
	return m, checkEndpoints(p.issuer, m)
}

// checkEndpoints refuses endpoints that are not http(s), because the browser is sent to some of them, and plain http
// endpoints of an https issuer: Discovery §3, "This URL MUST use the https scheme".
func checkEndpoints(issuer string, m oidc.Metadata) error {
	all := map[string]string{
		"userinfo_endpoint":                     m.UserinfoEndpoint,
		"end_session_endpoint":                  m.EndSessionEndpoint,
		"revocation_endpoint":                   m.RevocationEndpoint,
		"pushed_authorization_request_endpoint": m.PushedAuthorizationRequestEndpoint,
		"check_session_iframe":                  m.CheckSessionIframe,
	}
	maps.DeleteFunc(all, func(_, uri string) bool { return uri == "" }) // these are optional, the others are required
	all["authorization_endpoint"], all["token_endpoint"] = m.AuthorizationEndpoint, m.TokenEndpoint
	all["jwks_uri"] = m.JWKSURI
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

// explain is the error of a failed discovery.
func (p *provider) explain(err error) *oidc.Error {
	if mismatch, ok := errors.AsType[*gooidc.IssuerMismatchError](err); ok {
		return IssuerMismatch.Errorf(
			"the provider at %s calls itself %s, expected %s: set Issuer to that, byte for byte (Discovery section 4.3)",
			p.address, mismatch.Discovered, mismatch.Provided).Because(err)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return p.down(err)
	}
	return ProviderDown.Errorf(
		"the provider at %s gave no usable discovery document: %s: is it an OpenID provider, and the address right?",
		p.address, clip(err.Error())).Because(err)
}

// down is the error when the provider did not answer.
func (p *provider) down(err error) *oidc.Error {
	reason := err
	if failed, ok := errors.AsType[*url.Error](err); ok {
		reason = failed.Err
	}
	return ProviderDown.Errorf("the provider is unreachable at %s: %v: is it running?", p.address, reason).Because(err)
}

// fetchKeys reads the document at jwks_uri. The error is always an *oidc.Error.
func (p *provider) fetchKeys(ctx context.Context) (set oidc.KeySet, err error) {
	d, err := p.discover(ctx)
	if err != nil {
		return set, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metadata.JWKSURI, nil)
	if err != nil {
		return set, err
	}
	response, body, err := p.exchange(p.client, r)
	if err != nil {
		return set, err
	}
	if response.StatusCode != http.StatusOK || josejson.Unmarshal(body, &set) != nil {
		return set, ProviderDown.Errorf("the provider's jwks_uri gives no keys: %s answered %s", r.URL, response.Status)
	}
	return set, nil
}

// exchange sends r to the provider and reads the whole answer. The error is an *oidc.Error.
func (p *provider) exchange(client *http.Client, r *http.Request) (response *http.Response, body []byte, err error) {
	if response, err = client.Do(r); err == nil {
		defer response.Body.Close()
		body, err = io.ReadAll(response.Body)
	}
	if e, ok := errors.AsType[*oidc.Error](err); ok {
		return nil, nil, e
	}
	if tooLarge, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, nil, ProviderDown.Errorf("the provider's answer is too large: more than %d bytes", tooLarge.Limit)
	}
	if err != nil {
		return nil, nil, p.down(err)
	}
	return response, body, nil
}

// withParams sets params in the query of uri, which has been checked before.
func withParams(uri string, params url.Values) string {
	u, err := url.Parse(uri)
	if err != nil {
		return uri
	}
	query, _ := oidc.ParseQuery(u.RawQuery)
	maps.Copy(query, params)
	u.RawQuery = oidc.EncodeQuery(query)
	return u.String()
}

// newHTTPClient returns the HTTP client for all requests to the provider. It follows no redirects, so that no other
// address gets a code or a secret.
func newHTTPClient(issuer, backChannelURL string) *http.Client {
	base := http.DefaultTransport.(*http.Transport).Clone()
	dial := base.DialContext
	// RFC 6761 §6.3: names under localhost mean the loopback address. The resolvers of C and Go know the bare name only.
	base.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err == nil && strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), ".localhost") {
			address = net.JoinHostPort("127.0.0.1", port)
		}
		return dial(ctx, network, address)
	}
	base.Proxy = proxyUnlessLoopback
	return &http.Client{
		Transport:     backChannel{issuer: oidc.Origin(issuer), target: oidc.Origin(backChannelURL), next: base},
		Timeout:       exchangeTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// backChannel sends requests for the issuer's origin to another address, and limits the size of answers.
type backChannel struct {
	issuer, target string // origins; target is empty when there is no other address
	next           http.RoundTripper
}

// RoundTrip implements http.RoundTripper. The Host header stays the issuer's.
func (b backChannel) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.target != "" && oidc.Origin(r.URL.String()) == b.issuer {
		moved := r.Clone(r.Context())
		moved.Host = r.URL.Host
		moved.URL.Scheme, moved.URL.Host, _ = strings.Cut(b.target, "://")
		r = moved
	}
	response, err := b.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maxResponse)
	return response, nil
}

// proxyUnlessLoopback uses no proxy for loopback hosts, because localhost of a proxy is another machine.
func proxyUnlessLoopback(r *http.Request) (*url.URL, error) {
	if oidc.IsLoopback(r.URL.Hostname()) {
		return nil, nil
	}
	return http.ProxyFromEnvironment(r)
}
