package clientauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	josejson "github.com/go-jose/go-jose/v4/json" // a name is that name, in one case and once

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

// TypeAssertion is the value of client_assertion_type (RFC 7523 §2.2).
const TypeAssertion = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// fromAssertion reads private_key_jwt or client_secret_jwt. RFC 7521 §4.2: client_id "is unnecessary for client assertion
// authentication because the client is identified by the subject within the assertion. If present, the value of the "client_id"
// parameter MUST identify the same client".
// https://www.rfc-editor.org/rfc/rfc7521#section-4.2
func fromAssertion(r *http.Request, form url.Values) (credentials, error) {
	given := credentials{clientID: form.Get("client_id"), assertion: form.Get("client_assertion"), method: methodOf(form.Get("client_assertion"))}
	subject := subjectOf(given.assertion)
	switch {
	case r.Header.Get("Authorization") != "" || form.Get("client_secret") != "":
		return credentials{}, oidc.InvalidClient.Errorf("the client authenticates twice, by an assertion and by a secret; do it once (RFC 6749 §2.3)")
	case form.Get("client_assertion_type") != TypeAssertion:
		return credentials{}, oidc.InvalidClient.Errorf("client_assertion_type is %.100q, expected %s (RFC 7523 §2.2)", form.Get("client_assertion_type"), TypeAssertion)
	case subject == "":
		return credentials{}, oidc.InvalidClient.Errorf("client_assertion is no signed JWT with a sub; expected one in compact form (RFC 7523 §2.2)")
	case given.clientID != "" && given.clientID != subject:
		return credentials{}, oidc.InvalidClient.Errorf("the client_id is not the sub of client_assertion (RFC 7521 §4.2)")
	}
	given.clientID = subject
	return given, nil
}

// ClaimedID is who a form says it comes from, before anything is proved.
func ClaimedID(form url.Values) string {
	if id := form.Get("client_id"); id != "" {
		return id
	}
	return subjectOf(form.Get("client_assertion"))
}

// subjectOf reads the sub of a JWT that nobody has verified yet.
func subjectOf(assertion string) string {
	var claims assertionClaims
	signed, err := jose.ParseSignedCompact(assertion, algs(oidc.AssertionAlgs()))
	if err != nil || josejson.Unmarshal(signed.UnsafePayloadWithoutVerification(), &claims) != nil {
		return ""
	}
	return claims.Subject
}

// methodOf tells the two methods apart by the alg.
func methodOf(assertion string) string {
	signed, err := jose.ParseSignedCompact(assertion, algs(oidc.AssertionAlgs()))
	if err == nil && strings.HasPrefix(signed.Signatures[0].Header.Algorithm, "HS") {
		return oidc.AuthMethodSecretJWT
	}
	return oidc.AuthMethodPrivateJWT
}

func algs(names []string) []jose.SignatureAlgorithm {
	all := make([]jose.SignatureAlgorithm, len(names))
	for i, name := range names {
		all[i] = jose.SignatureAlgorithm(name)
	}
	return all
}

// assertion judges a client's assertion: its signature, then each rule, and at last whether it was used before.
func (a *Authenticator) assertion(r *http.Request, client oidc.Client, given credentials) error {
	if !client.Allows(given.method) {
		return oidc.InvalidClient.Errorf("client %s used %s; its registered token_endpoint_auth_method is %s",
			client.ClientID, given.method, client.TokenEndpointAuthMethod)
	}
	header, payload, err := a.signature(r.Context(), client, given.assertion)
	if err != nil {
		return oidc.InvalidClient.Errorf("client_assertion is not accepted: %v", err)
	}
	judged := assertion{Client: client, Now: a.Now(), Audiences: a.audiences(r, client)}
	judged.Type, _ = header.ExtraHeaders[jose.HeaderType].(string)
	if err := josejson.Unmarshal(payload, &judged.assertionClaims); err != nil {
		return oidc.InvalidClient.Errorf("client_assertion holds no claims that can be read: expected a JSON object with iss, sub, aud, exp and jti (Core §9)")
	}
	for i, rule := range assertionRules {
		holds := rule.Holds(judged)
		trace.Take(r.Context(), assertionSteps[i].Step(holds))
		if !holds {
			return oidc.InvalidClient.Errorf("client_assertion: expected: %s (%s); %s", rule.Text, rule.Spec, rule.Help)
		}
	}
	return a.spend(r.Context(), judged)
}

// signature verifies by the client's key, or by its secret.
func (a *Authenticator) signature(ctx context.Context, client oidc.Client, compact string) (jose.Header, []byte, error) {
	allowed := client.AssertionAlgs()
	if client.TokenEndpointAuthMethod == oidc.AuthMethodPrivateJWT {
		return a.Keys.Verify(ctx, client, compact, algs(allowed))
	}
	signed, err := jose.ParseSignedCompact(compact, algs(allowed))
	if err != nil {
		return jose.Header{}, nil, fmt.Errorf("it is no JWT with one alg of %s", strings.Join(allowed, ", "))
	}
	header := signed.Signatures[0].Header
	secret := []byte(client.ClientSecret.Plain())
	if least := macBytes[header.Algorithm]; len(secret) < least {
		return header, nil, fmt.Errorf("the client's secret is too short for %s, which needs %d bytes or more (RFC 7518 section 3.2), or the provider has only its hash: register a new one",
			header.Algorithm, least)
	}
	payload, err := signed.Verify(secret)
	if err != nil {
		return header, nil, errors.New("it is not authenticated with the client's secret")
	}
	return header, payload, nil
}

// macBytes: RFC 7518 §3.2: a key is at least as long as the hash.
var macBytes = map[string]int{"HS256": 32, "HS384": 48, "HS512": 64}

// audiences are what an assertion may be for. RFC 9126 §2: "the authorization server MUST accept its issuer identifier, token endpoint
// URL, or pushed authorization request endpoint URL as values that identify it as an intended audience."
func (a *Authenticator) audiences(r *http.Request, client oidc.Client) []string {
	if client.FAPI2() {
		return []string{a.Issuer}
	}
	return []string{a.Issuer, a.TokenEndpoint, a.Issuer + r.URL.Path}
}

// errUsed is what an assertion that comes again meets.
var errUsed = oidc.InvalidClient.Errorf("client_assertion was used before: make a new one, with a new jti, for each request (RFC 7523 §3)")

// spend lets an assertion pass once. Core §9: jti "can be used to prevent reuse of the token. These tokens MUST only be used once".
func (a *Authenticator) spend(ctx context.Context, judged assertion) error {
	key := fmt.Sprintf("%q %s", judged.Client.ClientID, judged.JTI)
	kept := judged.Expiry.Time().Sub(judged.Now) + 2*skew
	return a.Assertions.Update(ctx, key, kept, func(used *time.Time) (*time.Time, error) {
		if used != nil {
			return nil, errUsed
		}
		return &judged.Now, nil
	})
}

var assertionSteps = trace.Pairs(trace.KindRule, assertionRules, func(r assertionRule) (spec, text string, params []string) {
	return r.Spec, r.Text, []string{"client_assertion"}
})

// isFor tells whether one of the audiences is meant.
func (j assertion) isFor() bool {
	return slices.ContainsFunc(j.Audiences, j.Audience.values.Has)
}
