package renewal

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

const (
	maxBody  = 1 << 20 // bytes that are read of one answer
	maxForms = 5       // that a sign-in may take
)

// User is a browser: its cookies and the newest tokens. One goroutine at a time may use it.
type User struct {
	name, password string
	client         *Client
	http           *http.Client
	last           tokens // its ID token is the next id_token_hint
}

// User returns a browser without cookies.
func (c *Client) User(name, password string) *User {
	jar, _ := cookiejar.New(nil) // never fails with nil options
	return &User{name: name, password: password, client: c, http: &http.Client{
		Transport: c.transport, Jar: jar, Timeout: timeout,
		// The redirect to the app is the answer, and nothing listens there.
		CheckRedirect: func(r *http.Request, via []*http.Request) error {
			if strings.HasPrefix(r.URL.String(), c.RedirectURL+"?") || len(via) > 10 {
				return http.ErrUseLastResponse
			}
			return nil
		},
	}}
}

// attempt holds the values of one authorization request that its answer must match.
type attempt struct{ state, nonce, verifier string }

func newAttempt() attempt { return attempt{rand.Text(), rand.Text(), oauth2.GenerateVerifier()} }

// authorize sends the authorization request (Core §3.1.2.1, RFC 7636 §4.3).
func (u *User) authorize(
	ctx context.Context, browser *http.Client, a attempt, extra ...oauth2.AuthCodeOption,
) (*http.Response, error) {
	options := append(extra, oauth2.S256ChallengeOption(a.verifier), gooidc.Nonce(a.nonce))
	return send(ctx, browser, http.MethodGet, u.client.AuthCodeURL(a.state, options...), nil)
}

// SignIn opens the authorization request, submits the forms that come and redeems the code.
func (u *User) SignIn(ctx context.Context) error {
	a := newAttempt()
	answer, err := u.authorize(ctx, u.http, a)
	for range maxForms {
		if err != nil || answer.StatusCode != http.StatusOK {
			break
		}
		answer, err = u.submit(ctx, answer)
	}
	if err != nil {
		return err
	}
	return u.finish(ctx, a, answer)
}

// submit fills the form of page and sends it.
func (u *User) submit(ctx context.Context, page *http.Response) (*http.Response, error) {
	defer discard(page)
	action, fields, err := filled(http.MaxBytesReader(nil, page.Body, maxBody), u.name, u.password)
	if err != nil {
		return nil, failf("login page", "%s answered %s: %v", page.Request.URL.Path, page.Status, err)
	}
	target, err := page.Request.URL.Parse(action)
	if err != nil {
		return nil, failf("login page", "the form's action %q: %v", action, err)
	}
	return send(ctx, u.http, http.MethodPost, target.String(), fields)
}

// Renew is one silent renewal: the answer to prompt=none must be one redirect to the app (Core §3.1.2.6), and the code
// must give new tokens for the same sign-in. It returns how long both exchanges took, without the check of the tokens.
func (u *User) Renew(ctx context.Context) (time.Duration, error) {
	a, browser := newAttempt(), *u.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	options := []oauth2.AuthCodeOption{oauth2.SetAuthURLParam("prompt", "none")}
	if u.client.options.Hint {
		options = append(options, oauth2.SetAuthURLParam("id_token_hint", u.last.idToken))
	}
	started := time.Now()
	answer, err := u.authorize(ctx, &browser, a, options...)
	if err != nil {
		return 0, err
	}
	response, err := u.redeem(ctx, a, answer)
	took := time.Since(started)
	if err == nil {
		err = u.check(ctx, response, a)
	}
	return took, err
}

// finish checks the authorization response, redeems its code and checks the tokens.
func (u *User) finish(ctx context.Context, a attempt, answer *http.Response) error {
	response, err := u.redeem(ctx, a, answer)
	if err != nil {
		return err
	}
	return u.check(ctx, response, a)
}

// redeem checks the authorization response and redeems its code.
func (u *User) redeem(ctx context.Context, a attempt, response *http.Response) (*oauth2.Token, error) {
	defer discard(response)
	location, err := response.Location()
	if err != nil || !strings.HasPrefix(location.String(), u.client.RedirectURL+"?") {
		return nil, failf("answer", "%s to %q, expected a redirect to %s",
			response.Status, response.Header.Get("Location"), u.client.RedirectURL)
	}
	answer, _ := oidc.ParseQuery(location.RawQuery)
	switch {
	case answer.Get("state") != a.state: // RFC 6749 §4.1.2
		return nil, failf("state", "is %q, sent %q", answer.Get("state"), a.state)
	case (u.client.sendsIss || answer.Has("iss")) && answer.Get("iss") != u.client.options.Issuer: // RFC 9207 §2.4
		return nil, failf("iss", "of the answer is %q, expected %q", answer.Get("iss"), u.client.options.Issuer)
	case answer.Has("error"):
		return nil, failf("error "+answer.Get("error"), "%s", answer.Get("error_description"))
	case answer.Get("code") == "":
		return nil, failf("code", "the answer has neither code nor error")
	}
	asUser := gooidc.ClientContext(ctx, u.http)
	token, err := u.client.Exchange(asUser, answer.Get("code"), oauth2.VerifierOption(a.verifier))
	if err != nil {
		return nil, failf("token request", "%v", err)
	}
	return token, nil
}

// check verifies the tokens and remembers them.
func (u *User) check(ctx context.Context, response *oauth2.Token, a attempt) error {
	fresh, err := u.client.check(ctx, response, a)
	if err == nil {
		err = u.client.follows(fresh, u.last)
	}
	if err == nil {
		u.last = fresh
	}
	return err
}

func send(ctx context.Context, browser *http.Client, method, address string, form url.Values) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, failf("request", "%v", err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := browser.Do(r)
	if err != nil {
		return nil, failf("no answer", "%v", err)
	}
	return response, nil
}

// discard reads a response to its end, so that its connection is used again.
func discard(response *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxBody))
	_ = response.Body.Close()
}
