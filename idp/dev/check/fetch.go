package check

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"code.dny.dev/ssrf"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/semaphore"

	"github.com/hush-idp/hush/oidc"
)

// Reach says which addresses of the network a Fetcher may ask about a client.
type Reach int

// The reaches. A stranger can register a client, and could then make the provider send a request to an address behind
// a firewall. So only a client that the operator registered may have addresses in private networks.
const (
	Public   Reach = iota // the client registered itself, or fetch.allow_private is off: only public addresses
	Loopback              // any_client let the client in: this machine, and public addresses
	Private               // the operator registered the client: private networks too
)

var (
	loopback4 = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	loopback6 = []netip.Prefix{netip.MustParsePrefix("::1/128")}
	private4  = append(loopback4, netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"),
		netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"))
	private6 = append(loopback6, netip.MustParsePrefix("fc00::/7"))
)

// guardians judge each address that is dialled, after its name was resolved. None allows link-local addresses, at which
// most clouds have a service with credentials. A few clouds have it at a private address, which Private allows: the
// operator chose the addresses of these clients.
var guardians = map[Reach]*ssrf.Guardian{
	Public: ssrf.New(ssrf.WithAnyPort()),
	Loopback: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(loopback4...),
		ssrf.WithAllowedV6Prefixes(loopback6...)),
	Private: ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(private4...),
		ssrf.WithAllowedV6Prefixes(private6...)),
}

const (
	maxRedirects   = 3        // within one origin
	maxPageHeaders = 32 << 10 // bytes
	maxRemembered  = 50       // clients whose pages are remembered
)

// Fetcher fetches the pages of apps, one request at a time, and remembers the last pages of each client. Many
// goroutines may use it.
type Fetcher struct {
	timeout time.Duration
	roots   *x509.CertPool
	now     func() time.Time
	running *semaphore.Weighted
	pages   *lru.Cache[string, []Page] // by client_id
}

// NewFetcher returns a Fetcher. timeout is for one page; roots are the certificate authorities; nil: the system's.
func NewFetcher(timeout time.Duration, roots *x509.CertPool, now func() time.Time) *Fetcher {
	pages, err := lru.New[string, []Page](maxRemembered)
	if err != nil {
		panic(err) // the size is positive
	}
	return &Fetcher{timeout: timeout, roots: roots, now: now, running: semaphore.NewWeighted(1), pages: pages}
}

// Pages returns the pages of the client that were fetched last; nil: none.
func (f *Fetcher) Pages(clientID string) []Page {
	pages, _ := f.pages.Get(clientID)
	return pages
}

// Reset forgets all pages.
func (f *Fetcher) Reset() { f.pages.Purge() }

// ErrBusy means that pages of an app are being fetched.
var ErrBusy = errors.New("check: pages are being fetched")

// Fetch fetches the callback page and the start page of the app, and remembers them. It returns ErrBusy while another
// call of Fetch runs. A page that cannot be fetched has a Problem.
func (f *Fetcher) Fetch(ctx context.Context, seen Seen, reach Reach) error {
	if !f.running.TryAcquire(1) {
		return ErrBusy
	}
	defer f.running.Release(1)
	v := newView(seen)
	var pages []Page
	for _, target := range []struct {
		role    Role
		address string
	}{{RoleCallback, v.callbackPage()}, {RoleStart, v.startPage()}} {
		if target.address != "" {
			pages = append(pages, f.page(ctx, target.role, target.address, reach))
		}
	}
	f.pages.Add(seen.Client.ClientID, pages)
	return nil
}

// page fetches one page.
func (f *Fetcher) page(ctx context.Context, role Role, address string, reach Reach) Page {
	page := Page{Role: role, URL: address, At: f.now()}
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		page.Problem = "its address is not valid for a request"
		return page
	}
	request.Header.Set("Accept", "text/html,application/xhtml+xml")
	request.Header.Set("User-Agent", "hush")
	transport := f.transport(reach)
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		if oidc.Origin(next.URL.String()) != oidc.Origin(address) || len(via) > maxRedirects {
			page.RedirectsTo = originAndPath(next.URL)
			return http.ErrUseLastResponse
		}
		page.LedTo = originAndPath(next.URL)
		return nil
	}}
	response, err := client.Do(request)
	if err == nil {
		defer func() { _ = response.Body.Close() }()
		err = page.take(response)
	}
	if err != nil {
		page.Problem = problemOf(err)
	}
	return page
}

// originAndPath is the address without a query, which may have secrets.
func originAndPath(u *url.URL) string { return oidc.Origin(u.String()) + u.EscapedPath() }

func (f *Fetcher) transport(reach Reach) *http.Transport {
	dialer := &net.Dialer{Timeout: f.timeout, Control: guardians[reach].Safe}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, resolvable(address))
		},
		TLSClientConfig:        &tls.Config{RootCAs: f.roots, MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    f.timeout,
		MaxResponseHeaderBytes: maxPageHeaders,
		DisableCompression:     true, // a small body could decompress to a large one
		DisableKeepAlives:      true,
	}
}

// resolvable replaces a name below localhost by localhost: it means this machine (RFC 6761 §6.3), and not every
// resolver knows that.
func resolvable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if err == nil && strings.HasSuffix(strings.ToLower(host), ".localhost") {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

// problemOf tells a developer why there is no page. It reveals nothing about the network except the address.
func problemOf(err error) string {
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, wrongName := errors.AsType[x509.HostnameError](err)
	timeout, _ := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		return "the provider sends no request to the address of its host. An address in a private network needs a " +
			"client that you registered here or in the configuration, and fetch.allow_private. Link-local addresses " +
			"are never allowed"
	case unknown, wrongName:
		return "the provider does not trust its certificate: name the certificate authority in fetch.ca_file"
	case errors.Is(err, context.DeadlineExceeded), timeout != nil && timeout.Timeout():
		return "its server did not answer within the time of fetch.timeout"
	}
	return "its server does not answer the provider, which may run on another machine or in a container"
}

// callbackPage is the address of the callback page: registered, on the web, and with its port; "" if none is known. It
// is that of the newest request which has such an address, a silent one if there is one.
func (v *view) callbackPage() string {
	if uri := v.used(true, func(uri string) bool { return oidc.Origin(uri) != "" }); uri != "" {
		return uri
	}
	address := v.callback()
	if oidc.Origin(address) == "" || !oidc.MatchRedirectURI(v.Client.RedirectURIs, address) || hasAnyPort(address) {
		return "" // an address that is registered for any port is not the address of a page
	}
	return address
}

// noPage is the verdict about a page without a callbackPage.
func (v *view) noPage() verdict {
	e := v.request()
	if e == nil {
		return notSeen("the address of the page is not known yet: sign in with your app first")
	}
	switch uri := e.param("redirect_uri"); {
	case uri == "":
		return cannotSee("the newest request has no redirect_uri, so the provider does not fetch its page")
	case strings.HasSuffix(uri, "…"):
		return cannotSee(longAddress)
	case oidc.Origin(uri) == "":
		return cannotSee("%s is no address on the web, so the provider does not fetch a page", uri)
	default:
		return cannotSee("the redirect URI of the newest request, %s, is not registered, so the provider does not fetch "+
			"its page", uri)
	}
}

func hasAnyPort(address string) bool {
	u, err := url.Parse(address)
	_, loopback := oidc.WithoutLoopbackPort(address)
	return err == nil && loopback && u.Port() == ""
}

// startPage is the address of the page that opens the iframe, at an origin of the client: the Referer of the newest
// request if it has a path, else the root.
func (v *view) startPage() string {
	callback := v.callbackPage()
	if callback == "" {
		return ""
	}
	own := v.Client.Origins()
	if e := v.request(); e != nil && oidc.MatchRedirectURI(own, oidc.Origin(e.record.Referer)) {
		return cmp.Or(e.record.Referer, oidc.Origin(callback)+"/")
	}
	return oidc.Origin(callback) + "/"
}
