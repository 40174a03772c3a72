package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/net/html"
	"golang.org/x/oauth2"

	"github.com/hush-idp/hush/oidc"
)

// maxBody bounds the bytes that are read of one answer.
const maxBody = 1 << 20

// failure is a wrong answer. The report counts the failures of one kind together.
type failure struct{ kind, detail string }

func (f *failure) Error() string { return f.kind + ": " + f.detail }

func failf(kind, format string, a ...any) error {
	return &failure{kind: kind, detail: fmt.Sprintf(format, a...)}
}

// client is the OpenID client of all users.
type client struct {
	oauth2.Config
	issuer                 string
	idTokens, accessTokens *gooidc.IDTokenVerifier
}

// user is a browser: its cookies and the newest tokens.
type user struct {
	name   string
	client *client
	http   *http.Client
	last   tokens // its ID token is the next id_token_hint
}

// tokens are the checked tokens of one response.
type tokens struct {
	idToken, accessToken, sub string
	authTime                  int64
}

func newUser(name string, c *client, transport http.RoundTripper) *user {
	jar, _ := cookiejar.New(nil) // never fails with nil options
	return &user{name: name, client: c, http: &http.Client{
		Transport: transport, Jar: jar, Timeout: timeout,
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
func (u *user) authorize(
	ctx context.Context, browser *http.Client, a attempt, extra ...oauth2.AuthCodeOption,
) (*http.Response, error) {
	options := append(extra, oauth2.S256ChallengeOption(a.verifier), gooidc.Nonce(a.nonce))
	return send(ctx, browser, http.MethodGet, u.client.AuthCodeURL(a.state, options...), nil)
}

// signIn opens the authorization request, posts the login form and redeems the code.
func (u *user) signIn(ctx context.Context) error {
	a := newAttempt()
	page, err := u.authorize(ctx, u.http, a)
	if err != nil {
		return err
	}
	defer discard(page)
	action, fields, err := loginForm(http.MaxBytesReader(nil, page.Body, maxBody))
	if err != nil {
		return failf("login page", "%s answered %s: %v", page.Request.URL.Path, page.Status, err)
	}
	target, err := page.Request.URL.Parse(action)
	if err != nil {
		return failf("login page", "the form's action %q: %v", action, err)
	}
	fields.Set("username", u.name)
	fields.Set("password", u.name)
	answer, err := send(ctx, u.http, http.MethodPost, target.String(), fields)
	if err != nil {
		return err
	}
	return u.finish(ctx, a, answer)
}

// renew is one silent renewal: the answer to prompt=none must be one redirect to the app (Core §3.1.2.6), and the code
// must give new tokens for the same sign-in.
func (u *user) renew(ctx context.Context) error {
	a, browser := newAttempt(), *u.http
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	hint := oauth2.SetAuthURLParam("id_token_hint", u.last.idToken)
	answer, err := u.authorize(ctx, &browser, a, oauth2.SetAuthURLParam("prompt", "none"), hint)
	if err != nil {
		return err
	}
	return u.finish(ctx, a, answer)
}

// finish checks the authorization response, redeems its code and checks the tokens.
func (u *user) finish(ctx context.Context, a attempt, response *http.Response) error {
	defer discard(response)
	location, err := response.Location()
	if err != nil || !strings.HasPrefix(location.String(), u.client.RedirectURL+"?") {
		return failf("answer", "%s to %q, expected a redirect to %s",
			response.Status, response.Header.Get("Location"), u.client.RedirectURL)
	}
	answer, _ := oidc.ParseQuery(location.RawQuery)
	switch {
	case answer.Get("state") != a.state: // RFC 6749 §4.1.2
		return failf("state", "is %q, sent %q", answer.Get("state"), a.state)
	case answer.Get("iss") != u.client.issuer: // RFC 9207 §2.4
		return failf("iss", "of the answer is %q, expected %q", answer.Get("iss"), u.client.issuer)
	case answer.Has("error"):
		return failf("error "+answer.Get("error"), "%s", answer.Get("error_description"))
	case answer.Get("code") == "":
		return failf("code", "the answer has neither code nor error")
	}
	asUser := gooidc.ClientContext(ctx, u.http)
	token, err := u.client.Exchange(asUser, answer.Get("code"), oauth2.VerifierOption(a.verifier))
	if err != nil {
		return failf("token request", "%v", err)
	}
	fresh, err := u.client.check(ctx, token, a)
	if err == nil {
		err = fresh.follows(u.last)
	}
	if err == nil {
		u.last = fresh
	}
	return err
}

// check verifies both tokens: the ID token by Core §3.1.3.7, the access token by RFC 9068 §2.
func (c *client) check(ctx context.Context, response *oauth2.Token, a attempt) (t tokens, err error) {
	t.accessToken = response.AccessToken
	t.idToken, _ = response.Extra("id_token").(string)
	id, err := c.idTokens.Verify(ctx, t.idToken)
	if err != nil {
		return t, failf("ID token", "%v", err)
	}
	if id.Nonce != a.nonce { // Core §3.1.3.7, rule 11
		return t, failf("nonce", "is %q, sent %q", id.Nonce, a.nonce)
	}
	access, err := c.accessTokens.Verify(ctx, t.accessToken)
	if err != nil {
		return t, failf("access token", "%v", err)
	}
	var claims struct {
		AuthTime int64  `json:"auth_time"` // of the ID token
		ClientID string `json:"client_id"` // of the access token
	}
	if err := errors.Join(access.Claims(&claims), id.Claims(&claims)); err != nil {
		return t, failf("claims", "%v", err)
	}
	t.sub, t.authTime = id.Subject, claims.AuthTime
	if access.Subject != id.Subject || claims.ClientID != c.ClientID || typeOf(t.accessToken) != "at+jwt" {
		return t, failf("access token", "typ is %q, sub %q, client_id %q; expected at+jwt, %q, %q",
			typeOf(t.accessToken), access.Subject, claims.ClientID, id.Subject, c.ClientID)
	}
	return t, nil
}

// typeOf is the typ of a JWT that has been verified.
func typeOf(raw string) (typ string) {
	token, err := jwt.ParseSigned(raw, []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA})
	if err == nil {
		typ, _ = token.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	}
	return typ
}

// follows checks that user and sign-in (Core §2, auth_time) are those of old, which is empty at first, and the access
// token is another.
func (t tokens) follows(old tokens) error {
	switch {
	case t.authTime == 0:
		return failf("auth_time", "is missing")
	case old.idToken == "":
		return nil
	case t.sub != old.sub:
		return failf("sub", "is %q, was %q", t.sub, old.sub)
	case t.authTime != old.authTime:
		return failf("auth_time", "is %d, was %d", t.authTime, old.authTime)
	case t.accessToken == old.accessToken:
		return failf("same access token", "a renewal returned the access token that it should replace")
	}
	return nil
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

// loginForm finds the first form with a field named password, and returns its action and its hidden fields.
func loginForm(page io.Reader) (action string, fields url.Values, err error) {
	root, err := html.Parse(page)
	if err != nil {
		return "", nil, err
	}
	for form := range root.Descendants() {
		if form.Data != "form" {
			continue
		}
		fields, asksPassword := url.Values{}, false
		for input := range form.Descendants() {
			name, value := attribute(input, "name"), attribute(input, "value")
			if attribute(input, "type") == "hidden" {
				fields.Add(name, value)
			}
			asksPassword = asksPassword || name == "password"
		}
		if asksPassword {
			return attribute(form, "action"), fields, nil
		}
	}
	return "", nil, errors.New("the page has no form with a field named password; is it the provider's login page?")
}

func attribute(node *html.Node, name string) string {
	for _, a := range node.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
