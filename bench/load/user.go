package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
)

// app is the client of which the users are users.
type app struct {
	clientID, redirectURI, scope string
}

// user is one person at one browser: cookies of its own, and what the tokens
// said so far.
type user struct {
	name     string
	app      app
	provider *provider
	http     *http.Client
	last     tokens // of the newest renewal; its ID token is the next id_token_hint
}

func newUser(name string, a app, p *provider, transport http.RoundTripper) *user {
	jar, _ := cookiejar.New(nil) // never fails with nil options
	return &user{name: name, app: a, provider: p, http: &http.Client{
		Transport: transport,
		Jar:       jar,
		Timeout:   timeout,
		// Each redirect is looked at: the one to the app is the answer.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// attempt is one authorization request and what its answer must match.
type attempt struct {
	state, nonce, verifier string
}

func newAttempt() attempt {
	// Text has 128 bits and more; joined twice it is as long as RFC 7636 §4.1 asks.
	return attempt{state: rand.Text(), nonce: rand.Text(), verifier: rand.Text() + rand.Text()}
}

// authorizeURL is the authorization request (Core §3.1.2.1, RFC 7636 §4.3).
func (u *user) authorizeURL(a attempt, extra url.Values) string {
	challenge := sha256.Sum256([]byte(a.verifier))
	query := url.Values{
		"response_type":         {"code"},
		"client_id":             {u.app.clientID},
		"redirect_uri":          {u.app.redirectURI},
		"scope":                 {u.app.scope},
		"state":                 {a.state},
		"nonce":                 {a.nonce},
		"code_challenge":        {base64.RawURLEncoding.EncodeToString(challenge[:])},
		"code_challenge_method": {"S256"},
	}
	for name, values := range extra {
		query[name] = values
	}
	return u.provider.AuthorizationEndpoint + "?" + query.Encode()
}

// signIn walks the login page as a person does: it opens the authorization
// request, posts the form it is shown, and redeems the code.
func (u *user) signIn(ctx context.Context) error {
	a := newAttempt()
	page, err := u.follow(ctx, u.authorizeURL(a, nil))
	if err != nil {
		return err
	}
	if page.form == nil {
		return failf("login", "the provider answered a first request without asking who it is: %s", page.answer)
	}
	fields := page.form.fields
	fields.Set("username", u.name)
	fields.Set("password", u.name)
	resp, err := u.send(ctx, http.MethodPost, page.form.action, fields)
	if err != nil {
		return err
	}
	if page, err = u.followFrom(ctx, resp); err != nil {
		return err
	}
	if page.form != nil {
		return failf("login", "the login form came back; expected a redirect to %s", u.app.redirectURI)
	}
	return u.finish(ctx, a, page.answer)
}

// renew is one silent renewal: prompt=none must answer at once with a redirect
// to the app (Core §3.1.2.6), and the code must give new tokens for the same
// sign-in.
func (u *user) renew(ctx context.Context) error {
	a := newAttempt()
	resp, err := u.send(ctx, http.MethodGet, u.authorizeURL(a, url.Values{
		"prompt":        {"none"},
		"id_token_hint": {u.last.IDToken},
	}), nil)
	if err != nil {
		return err
	}
	defer discard(resp)
	answer, err := resp.Location()
	if err != nil || !u.isAnswer(answer) {
		return failf("prompt=none", "answered %s to %q, expected a redirect to %s", resp.Status, resp.Header.Get("Location"), u.app.redirectURI)
	}
	return u.finish(ctx, a, answer)
}

// finish checks the authorization answer, redeems its code and checks the tokens.
func (u *user) finish(ctx context.Context, a attempt, answer *url.URL) error {
	code, err := checkAnswer(answer.Query(), a, u.provider.Issuer)
	if err != nil {
		return err
	}
	fresh, err := u.redeem(ctx, code, a.verifier)
	if err != nil {
		return err
	}
	if err := u.provider.check(&fresh, a, u.app.clientID); err != nil {
		return err
	}
	if err := fresh.follows(u.last); err != nil {
		return err
	}
	u.last = fresh
	return nil
}

// redeem is the token request (Core §3.1.3.1).
func (u *user) redeem(ctx context.Context, code, verifier string) (tokens, error) {
	resp, err := u.send(ctx, http.MethodPost, u.provider.TokenEndpoint, url.Values{
		"grant_type":    {"authorization_code"},
		"code":          {code},
		"redirect_uri":  {u.app.redirectURI},
		"client_id":     {u.app.clientID},
		"code_verifier": {verifier},
	})
	if err != nil {
		return tokens{}, err
	}
	defer discard(resp)
	body := http.MaxBytesReader(nil, resp.Body, maxBody)
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(body) // shown to a person; a part of it is enough
		return tokens{}, failf("token status", "answered %s: %s", resp.Status, text)
	}
	var fresh tokens
	if err := json.NewDecoder(body).Decode(&fresh); err != nil {
		return tokens{}, failf("token JSON", "%v", err)
	}
	return fresh, nil
}

// page is where following redirects ended: at a login form, or at an answer to
// the app.
type page struct {
	form   *loginForm
	answer *url.URL
}

func (u *user) follow(ctx context.Context, address string) (page, error) {
	resp, err := u.send(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	return u.followFrom(ctx, resp)
}

// followFrom follows the redirects of resp until a page or the app is reached.
func (u *user) followFrom(ctx context.Context, resp *http.Response) (page, error) {
	const most = 10 // as browsers: a loop must end
	for range most {
		next, err := resp.Location()
		if err != nil {
			return readPage(resp)
		}
		discard(resp)
		if u.isAnswer(next) {
			return page{answer: next}, nil
		}
		if resp, err = u.send(ctx, http.MethodGet, next.String(), nil); err != nil {
			return page{}, err
		}
	}
	discard(resp)
	return page{}, failf("redirects", "more than %d in a row, the last from %s", most, resp.Request.URL.Path)
}

func readPage(resp *http.Response) (page, error) {
	defer discard(resp)
	form, err := readLoginForm(http.MaxBytesReader(nil, resp.Body, maxBody))
	if err != nil {
		return page{}, failf("login page", "%s answered %s: %v", resp.Request.URL.Path, resp.Status, err)
	}
	action, err := resp.Request.URL.Parse(form.action)
	if err != nil {
		return page{}, failf("login page", "the form's action %q: %v", form.action, err)
	}
	form.action = action.String()
	return page{form: &form}, nil
}

func (u *user) send(ctx context.Context, method, address string, form url.Values) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, failf("request", "%v", err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := u.http.Do(req)
	if err != nil {
		return nil, failf("no answer", "%v", err)
	}
	return resp, nil
}

// isAnswer says whether address is the app's redirect_uri.
func (u *user) isAnswer(address *url.URL) bool {
	bare := *address
	bare.RawQuery = ""
	return bare.String() == u.app.redirectURI
}

// discard reads resp to its end, so that its connection is used again.
func discard(resp *http.Response) {
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, maxBody)) // a broken body only costs the connection
	_ = resp.Body.Close()
}
