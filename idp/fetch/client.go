package fetch

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"code.dny.dev/ssrf"
)

// Limits of one request.
const (
	defaultTimeout = 5 * time.Second // of one request, from the name to the last byte
	maxBody        = 256 << 10       // bytes
	maxHeader      = 16 << 10        // bytes
	maxAtOnce      = 32              // documents, and as many posts; the others wait up to the timeout
	maxPerHost     = 4               // of them to the hosts of one owner
)

// Client sends requests to addresses that clients named. Many goroutines may use it.
type Client struct {
	http    *http.Client
	private bool // private addresses and http are allowed
	gets    *limiter
	posts   *limiter // logout tokens do not wait for documents
}

// New returns the client that config describes. It returns an error if the CA file cannot be read.
func New(config Config) (*Client, error) {
	roots, err := config.Roots()
	if err != nil {
		return nil, err
	}
	timeout := cmp.Or(config.Timeout, defaultTimeout)
	dialer := &net.Dialer{Timeout: timeout}
	if !config.private() {
		dialer.Control = public.Safe
	}
	return &Client{
		http: &http.Client{
			Timeout: timeout,
			Transport: &http.Transport{
				DialContext:            dialer.DialContext,
				TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
				TLSHandshakeTimeout:    timeout,
				MaxResponseHeaderBytes: maxHeader,
				DisableCompression:     true, // a small body could decompress to a large one
				ForceAttemptHTTP2:      true,
				MaxIdleConnsPerHost:    2,
				MaxIdleConns:           maxAtOnce,
				IdleConnTimeout:        30 * time.Second,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		private: config.private(),
		gets:    newLimiter(),
		posts:   newLimiter(),
	}, nil
}

// Get fetches a JSON document. Its errors are *Error.
func (c *Client) Get(ctx context.Context, address string) ([]byte, error) {
	body, _, err := c.get(ctx, address, jsonTypes)
	return body, err
}

// get fetches a document that has one of the media types; "+json" stands for all types with this suffix.
func (c *Client) get(ctx context.Context, address string, types []string) ([]byte, http.Header, error) {
	response, end, err := c.do(ctx, http.MethodGet, address, nil, types)
	if err != nil {
		return nil, nil, err
	}
	defer end()
	body, err := read(address, response, types)
	return body, response.Header, err
}

// Post sends a form and returns the status of the answer, whose body is not read.
func (c *Client) Post(ctx context.Context, address string, form url.Values) (status int, err error) {
	response, end, err := c.do(ctx, http.MethodPost, address, form, nil)
	if err != nil {
		return 0, err
	}
	defer end()
	return response.StatusCode, nil
}

// do sends the request. The caller must call end after it has read the response.
func (c *Client) do(
	ctx context.Context, method, address string, form url.Values, types []string,
) (response *http.Response, end func(), err error) {
	u, err := c.check(address)
	if err != nil {
		return nil, nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, nil, &Error{URL: address, Text: "it cannot be asked", cause: err}
	}
	limiter := c.gets
	r.Header.Set("User-Agent", "hush")
	if method == http.MethodPost {
		limiter = c.posts
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		r.Header.Set("Accept", accept(types))
	}
	waiting, cancel := context.WithTimeout(ctx, c.http.Timeout)
	defer cancel()
	leave, err := limiter.begin(waiting, ownerOf(u))
	if err != nil {
		return nil, nil, &Error{URL: address, cause: err,
			Text: "it was not asked: too many requests to its server, or in total, wait at this provider; try again later"}
	}
	response, err = c.http.Do(r)
	if err != nil {
		leave()
		return nil, nil, failed(address, err)
	}
	return response, func() { _ = response.Body.Close(); leave() }, nil
}

// failed returns the *Error for a request without a response.
func failed(address string, err error) error {
	text := "its server does not answer as expected"
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP):
		text = "its host is not at a public address, and this provider asks no other (fetch.allow_private)"
	case errors.Is(err, context.DeadlineExceeded) || isTimeout(err):
		text = "its server took too long to answer"
	}
	return &Error{URL: address, Text: text, cause: err}
}

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// Error is the error of a request.
type Error struct {
	URL   string
	Text  string // for the developer of the client; it reveals nothing about the provider's network
	cause error
}

// Error implements error. It contains all causes, for the log.
func (e *Error) Error() string {
	text := fmt.Sprintf("%s cannot be fetched: %s", e.URL, e.Text)
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// Why returns the text of an error of this package for the developer of a client.
func Why(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Text
	}
	return "the provider could not ask"
}
