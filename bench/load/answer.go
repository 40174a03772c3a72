package main

import (
	"fmt"
	"net/url"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

// failure is a wrong answer; failures of one kind are counted together.
type failure struct {
	kind, detail string
}

func (f *failure) Error() string { return f.kind + ": " + f.detail }

func failf(kind, format string, a ...any) error {
	return &failure{kind: kind, detail: fmt.Sprintf(format, a...)}
}

// checkAnswer checks the authorization response and returns its code.
func checkAnswer(answer url.Values, a attempt, issuer string) (string, error) {
	switch {
	case answer.Get("state") != a.state: // RFC 6749 §4.1.2
		return "", failf("state", "is %q, sent %q", answer.Get("state"), a.state)
	case answer.Get("iss") != issuer: // RFC 9207 §2.4
		return "", failf("iss", "of the answer is %q, expected %q", answer.Get("iss"), issuer)
	case answer.Has("error"):
		return "", failf("error "+answer.Get("error"), "%s", answer.Get("error_description"))
	case answer.Get("code") == "":
		return "", failf("code", "the answer has neither code nor error")
	}
	return answer.Get("code"), nil
}

// tokens is the token response and, once checked, what its ID token says.
type tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	TokenType   string `json:"token_type"`

	claims idToken
}

type idToken struct {
	jwt.Claims
	Nonce    string           `json:"nonce"`
	AuthTime *jwt.NumericDate `json:"auth_time"`
}

// accessToken are the claims of RFC 9068 §2.2 that are checked here.
type accessToken struct {
	jwt.Claims
	ClientID string `json:"client_id"`
}

// check verifies both tokens and fills t.claims.
func (p *provider) check(t *tokens, a attempt, clientID string) error {
	if _, err := p.verify("ID token", t.IDToken, &t.claims); err != nil {
		return err
	}
	expected := jwt.Expected{Issuer: p.Issuer, AnyAudience: jwt.Audience{clientID}, Time: time.Now()}
	if err := t.claims.Validate(expected); err != nil { // Core §3.1.3.7, rules 2, 3 and 9
		return failf("ID token claims", "%v", err)
	}
	if t.claims.Nonce != a.nonce { // Core §3.1.3.7, rule 11
		return failf("nonce", "is %q, sent %q", t.claims.Nonce, a.nonce)
	}
	return p.checkAccessToken(t, clientID)
}

func (p *provider) checkAccessToken(t *tokens, clientID string) error {
	var access accessToken
	typ, err := p.verify("access token", t.AccessToken, &access)
	if err != nil {
		return err
	}
	if typ != "at+jwt" { // RFC 9068 §2.1
		return failf("access token typ", "is %q, expected at+jwt", typ)
	}
	if err := access.Validate(jwt.Expected{Issuer: p.Issuer, Subject: t.claims.Subject, Time: time.Now()}); err != nil {
		return failf("access token claims", "%v", err)
	}
	if access.ClientID != clientID {
		return failf("access token claims", "client_id is %q, expected %q", access.ClientID, clientID)
	}
	return nil
}

// verify checks the signature of raw, reads its claims and returns its typ.
func (p *provider) verify(kind, raw string, claims any) (typ string, err error) {
	token, err := jwt.ParseSigned(raw, p.algorithms())
	if err != nil {
		return "", failf(kind, "%v", err)
	}
	if err := token.Claims(p.keys, claims); err != nil {
		return "", failf(kind+" signature", "kid %q: %v", token.Headers[0].KeyID, err)
	}
	typ, _ = token.Headers[0].ExtraHeaders[jose.HeaderType].(string)
	return typ, nil
}

// follows says whether t may come after old: the same person, the same
// sign-in (Core §2 auth_time), another access token. Nothing precedes the
// tokens of the sign-in itself.
func (t tokens) follows(old tokens) error {
	switch {
	case t.claims.AuthTime == nil:
		return failf("auth_time", "is missing")
	case old.IDToken == "":
		return nil
	case t.claims.Subject != old.claims.Subject:
		return failf("sub", "is %q, was %q", t.claims.Subject, old.claims.Subject)
	case *t.claims.AuthTime != *old.claims.AuthTime:
		return failf("auth_time", "is %d, was %d", *t.claims.AuthTime, *old.claims.AuthTime)
	case t.AccessToken == old.AccessToken:
		return failf("same access token", "a renewal returned the access token it should replace")
	}
	return nil
}
