package console

import (
	"encoding/json"
	"slices"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/oidc"
)

// The outcomes of a check.
const (
	holds      = "holds"
	fails      = "fails"
	notChecked = "not_checked"
)

// judged judges every rule, also after one that fails. missing says why a rule that needs this cannot be checked.
func judged[S any](rules oidc.Table[S], subject S, missing func(needs string) string) []jwtCheck {
	checks := make([]jwtCheck, len(rules))
	for i, rule := range rules {
		checks[i] = jwtCheck{Spec: rule.Spec, Text: rule.Text, Outcome: holds}
		for _, needs := range rule.Params {
			if why := missing(needs); why != "" {
				checks[i].Outcome, checks[i].Why = notChecked, why
			}
		}
		if checks[i].Outcome == notChecked || rule.Holds(subject) {
			continue
		}
		checks[i].Outcome = fails
		if rule.Got != nil {
			checks[i].Why = rule.Got(subject)
		}
	}
	return checks
}

// missing says what the request did not bring; "": it is there.
func (p *pastedJWT) missing(needs string) string {
	switch {
	case needs == needsKeys && !p.isOurs:
		return "the key set is not this provider's: iss names another issuer, or none"
	case needs == oidc.NeedsClientID && p.ClientID == "":
		return "no client was given"
	case needs == oidc.NeedsNonce && p.Nonce == "":
		return "no nonce was given"
	case needs == oidc.NeedsAccessToken && p.AccessToken == "":
		return "no access token was given"
	case needs == oidc.NeedsAudience && p.Audience == "":
		return "no audience was given"
	}
	return ""
}

// standardClaims are the subject of the rules that the JWT libraries of relying parties check.
type standardClaims struct {
	jwt.Claims
	Azp    string `json:"azp"`
	Nonce  string `json:"nonce"`
	AtHash string `json:"at_hash"`

	provider, clientID string
	now                time.Time
}

// standardRules are for every token that is no access token.
var standardRules = oidc.Table[standardClaims]{
	{Spec: "Core §3.1.3.7 (2)", Text: "iss is this provider",
		Holds: func(t standardClaims) bool { return t.Issuer == t.provider },
		Got:   func(t standardClaims) string { return quoted(t.Issuer) + ", not " + t.provider }},
	{Spec: "Core §3.1.3.7 (3)", Text: "aud contains the client_id", Params: []string{oidc.NeedsClientID},
		Holds: func(t standardClaims) bool { return t.Audience.Contains(t.clientID) },
		Got:   func(t standardClaims) string { return quoted(t.Audience...) + ", not " + t.clientID }},
	{Spec: "Core §3.1.3.7 (9)", Text: "exp has not passed by this provider's clock",
		Holds: func(t standardClaims) bool { return t.now.Before(t.Expiry.Time()) },
		Got: func(t standardClaims) string {
			if t.Expiry == nil {
				return "no exp"
			}
			return t.now.Sub(t.Expiry.Time()).Round(time.Second).String() + " ago"
		}},
	{Spec: "RFC 7519 §4.1.5", Text: "nbf, when present, has passed by this provider's clock",
		Holds: func(t standardClaims) bool { return t.NotBefore == nil || !t.NotBefore.Time().After(t.now) }},
}

// claimChecks checks the claims by the rules for this kind of token.
func (e *Endpoint) claimChecks(p *pastedJWT) ([]jwtCheck, error) {
	raw, err := json.Marshal(p.Claims)
	if err != nil {
		return nil, err
	}
	form := jwtCheck{Spec: "RFC 7519 §4.1", Text: "each claim has the type of its specification", Outcome: holds}
	now := e.Lab.Clock.Now()
	if p.Kind == kindAccessToken {
		t := oidc.AccessToken{Typ: p.typ(), Provider: e.Issuer, API: p.Audience, Now: now}
		if josejson.Unmarshal(raw, &t.AccessTokenClaims) != nil {
			form.Outcome = fails
			return []jwtCheck{form}, nil
		}
		return append([]jwtCheck{form}, judged(oidc.AccessTokenRules(), t, p.missing)...), nil
	}
	t := standardClaims{provider: e.Issuer, clientID: p.ClientID, now: now}
	if josejson.Unmarshal(raw, &t) != nil {
		form.Outcome = fails
		return []jwtCheck{form}, nil
	}
	checks := append([]jwtCheck{form}, judged(standardRules, t, p.missing)...)
	if p.Kind != kindIDToken {
		return checks, nil
	}
	id := t.idToken(p)
	return slices.Concat(checks, judged(oidc.IDTokenRules(), id, p.missing), judged(oidc.NonceRules(), id, p.missing)), nil
}

// idToken is the ID token for the rules of package oidc.
func (t standardClaims) idToken(p *pastedJWT) oidc.IDToken {
	return oidc.IDToken{
		Subject: t.Subject, Audience: t.Audience, Azp: t.Azp, Nonce: t.Nonce, IssuedAt: t.IssuedAt.Time(), AtHash: t.AtHash,
		ClientID: p.ClientID, IsTrusted: func(string) bool { return false }, Wanted: p.Nonce, Now: t.now,
		HashFits: func() bool { return token.AtHash(text(p.Header["alg"]), p.AccessToken) == t.AtHash },
	}
}

// quoted are the values as JSON, shortened.
func quoted(values ...string) string {
	const most = 300
	raw, _ := json.Marshal(values) // texts have a JSON form
	list := string(raw[1 : len(raw)-1])
	if len(list) > most {
		return list[:most] + "…"
	}
	return list
}
