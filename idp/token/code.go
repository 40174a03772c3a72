package token

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"time"

	"github.com/hush-idp/hush/idp/grant"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// Rule is one condition under which a spent code becomes tokens, in the order in which they are judged.
type Rule struct {
	Spec, Text string
	Holds      func(r request, g grant.Grant, now time.Time) bool
	Help       string // what to do
	Reason     oidc.Reason
	Params     []string // the parameters that it is about, for the trace
}

var rules = []Rule{
	{
		Spec: "RFC 6749 §4.1.3", Text: "the code was issued to the client that redeems it",
		Params: []string{"client_id"},
		Holds:  func(r request, g grant.Grant, _ time.Time) bool { return g.ClientID == r.Client.ClientID },
		Help:   "a code is good for one client only", Reason: oidc.CodeForeign,
	},
	{
		Spec: "RFC 6749 §4.1.2", Text: "the code is not older than 60 seconds",
		Holds: func(_ request, g grant.Grant, now time.Time) bool { return now.Before(g.ExpiresAt) },
		Help:  "redeem it right after the redirect", Reason: oidc.CodeExpired,
	},
	{
		Spec: "RFC 6749 §4.1.3", Text: "redirect_uri is the one of the authorization request",
		Params: []string{"redirect_uri"},
		Holds:  func(r request, g grant.Grant, _ time.Time) bool { return r.Form.Get("redirect_uri") == g.RedirectURI },
		Help:   "send the same redirect_uri to both endpoints, to the letter", Reason: oidc.CodeForeign,
	},
	{
		Spec: "RFC 9700 §4.8.2", Text: "code_verifier comes only after a code_challenge",
		Params: []string{"code_verifier"},
		Holds:  func(r request, g grant.Grant, _ time.Time) bool { return r.verifier() == "" || g.CodeChallenge != "" },
		Help:   "the authorization request had no code_challenge: was it stripped on the way?", Reason: oidc.PKCEMissing,
	},
	{
		Spec: "RFC 7636 §4.5", Text: "code_verifier comes after a code_challenge",
		Params: []string{"code_verifier"},
		Holds:  func(r request, g grant.Grant, _ time.Time) bool { return r.verifier() != "" || g.CodeChallenge == "" },
		Help:   "send the code_verifier whose SHA-256 the code_challenge was", Reason: oidc.PKCEMissing,
	},
	{
		Spec: "RFC 7636 §4.1", Text: "code_verifier has 43 to 128 characters out of A-Z a-z 0-9 - . _ ~",
		Params: []string{"code_verifier"},
		Holds: func(r request, _ grant.Grant, _ time.Time) bool {
			return r.verifier() == "" || verifier.MatchString(r.verifier())
		},
		Help: "make it from 32 random bytes in base64url", Reason: oidc.PKCEMismatch,
	},
	{
		Spec: "RFC 7636 §4.6", Text: "the SHA-256 of code_verifier is the code_challenge",
		Params: []string{"code_verifier"},
		Holds: func(r request, g grant.Grant, _ time.Time) bool {
			return g.CodeChallenge == "" || equal(s256(r.verifier()), g.CodeChallenge)
		},
		Help: "the verifier belongs to another authorization request; keep it by state", Reason: oidc.PKCEMismatch,
	},
	boundToKey,
}

var verifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`)

func (r request) code() string     { return r.Form.Get("code") }
func (r request) verifier() string { return r.Form.Get("code_verifier") }

// authorizationCode obeys grant_type=authorization_code (RFC 6749 §4.1.3).
func (e *Endpoint) authorizationCode(ctx context.Context, r request) (Response, error) {
	if r.code() == "" {
		return Response{}, oidc.InvalidRequest.Errorf("code is missing; send the code of the authorization response (RFC 6749 §4.1.3)")
	}
	granted, err := e.redeem(ctx, r)
	if err != nil {
		return Response{}, err
	}
	for i, rule := range rules {
		holds := rule.Holds(r, granted, e.Now())
		trace.Take(ctx, ruleSteps[i].Step(holds))
		if !holds {
			return Response{}, rule.broken()
		}
	}
	return e.respond(ctx, r, granted)
}

// broken is the answer to a request that does not keep the rule.
func (rule Rule) broken() error {
	return oidc.InvalidGrant.Errorf("expected: %s (%s); %s. The code is spent: start again", rule.Text, rule.Spec, rule.Help).Blame(rule.Reason)
}

var ruleSteps = trace.Pairs(trace.KindRule, rules, func(r Rule) (spec, text string, params []string) { return r.Spec, r.Text, r.Params })

// redeem spends the code.
func (e *Endpoint) redeem(ctx context.Context, r request) (grant.Grant, error) {
	granted, err := e.Grants.Redeem(ctx, r.code(), accessTokenLifetime(r.Client))
	switch {
	case errors.Is(err, grant.ErrUnknown):
		return grant.Grant{}, oidc.InvalidGrant.Errorf("the code is not known: it was never issued, expired minutes ago, or the provider was restarted").Blame(oidc.CodeUnknown)
	case errors.Is(err, grant.ErrReplayed):
		return grant.Grant{}, oidc.InvalidGrant.Errorf(
			"the code was redeemed before; the tokens it gave are revoked (RFC 6749 §4.1.2). Does the application redeem twice, for example in a page that loads twice?").Blame(oidc.CodeReplayed)
	}
	return granted, err
}

// s256 is the transformation of RFC 7636 §4.2: BASE64URL-ENCODE(SHA256(ASCII(code_verifier))).
func s256(codeVerifier string) string {
	sum := sha256.Sum256([]byte(codeVerifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
