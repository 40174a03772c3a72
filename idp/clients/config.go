package clients

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hush-idp/hush/idp/claims"
	"github.com/hush-idp/hush/oidc"
)

// leastSalt is the minimum length of pairwise_salt. The user of a pairwise sub can be guessed with a short salt.
const leastSalt = 32

// Provided contains the values of other sections that clients may use.
type Provided struct {
	Loopback       bool
	SigningAlgs    []string
	Scope          oidc.Scope
	ACRValues      []string
	LongestRefresh time.Duration // refresh.absolute
	PairwiseSalt   string
	Release        claims.Release
}

// Check reports the mistakes in pairwise_salt and clients.
func (p Provided) Check(clients []oidc.Client, report oidc.Report) {
	length := len(p.PairwiseSalt)
	report.When(length > 0 && length < leastSalt, "pairwise_salt", "has %d characters; write %d or more random ones "+
		"(openssl rand -hex 32), and never change it: all pairwise subs depend on it", length, leastSalt)
	report.When(len(clients) == 0, "clients", "is empty, so no application can use the provider: list clients "+
		"(the built-in ones exist on a loopback issuer only)")
	for i, client := range clients {
		at := report.In(fmt.Sprintf("clients[%d]", i))
		first := slices.IndexFunc(clients, func(c oidc.Client) bool { return c.ClientID == client.ClientID })
		at.When(first < i && client.ClientID != "", "client_id", "%q is a duplicate of clients[%d]: rename or remove one",
			client.ClientID, first)
		p.CheckClient(client, at)
	}
}

// CheckClient reports the mistakes of one client, wherever it comes from: the file, the console or its registration.
// They are mistakes of its metadata, and values that this provider does not have.
func (p Provided) CheckClient(client oidc.Client, report oidc.Report) {
	for _, problem := range client.Problems(p.Loopback) {
		report(problem.Field, problem.Text)
	}
	p.checkAlgs(client, report)
	p.checkValues(client, report)
	p.checkClaims(client, report)
}

// checkAlgs: an alg that signs something for the client needs a key.
func (p Provided) checkAlgs(client oidc.Client, report oidc.Report) {
	for field, alg := range map[string]string{
		"id_token_signed_response_alg":      client.IDTokenSignedResponseAlg,
		"authorization_signed_response_alg": client.AuthorizationSignedResponseAlg,
		"userinfo_signed_response_alg":      client.UserinfoSignedResponseAlg,
		"introspection_signed_response_alg": client.IntrospectionSignedResponseAlg,
	} {
		report.When(alg != "" && !slices.Contains(p.SigningAlgs, alg), field,
			"%q has no signing key: add one to signing_keys, or choose one of %s", alg, strings.Join(p.SigningAlgs, ", "))
	}
}

// checkValues: the provider must know each value of a client. A pairwise client needs a salt and a sector (Core §8.1).
func (p Provided) checkValues(client oidc.Client, report oidc.Report) {
	for _, name := range oidc.ParseScope(client.Scope) {
		report.When(!p.Scope.Has(name), "scope",
			"%q is not known to the provider: add it to scopes; known are %s", name, p.Scope)
	}
	for i, value := range client.DefaultACRValues {
		report.When(!slices.Contains(p.ACRValues, value), fmt.Sprintf("default_acr_values[%d]", i),
			"%q is none of acr_values: add it there, or write one of %s", value, strings.Join(p.ACRValues, ", "))
	}
	report.When(client.RefreshTokenLifetime > p.LongestRefresh, "refresh_token_lifetime", "%v is longer than "+
		"refresh.absolute, %v: shorten one or lengthen the other", client.RefreshTokenLifetime, p.LongestRefresh)
	if client.SubjectType == oidc.SubjectPairwise {
		_, err := Sector(&client)
		report.When(err != nil, "subject_type", "%v", err)
		report.When(p.PairwiseSalt == "", "subject_type",
			"is pairwise, which needs a pairwise_salt: write one (openssl rand -hex 32)")
	}
}

// checkClaims reports claims that the client cannot get: no scope value that it may request covers them.
func (p Provided) checkClaims(client oidc.Client, report oidc.Report) {
	covered := p.Release.Names(client.AllowedScope(p.Scope))
	for field, names := range map[string]oidc.ClaimNames{
		"id_token_claims": client.IDTokenClaims, "access_token_claims": client.AccessTokenClaims,
	} {
		for i, name := range names {
			isKnown := name == oidc.AllClaims || oidc.IsReservedClaim(name) || covered.Has(name) // the second is reported
			report.When(!isKnown, fmt.Sprintf("%s[%d]", field, i),
				"no scope that the client may ask for covers the claim %q: add it to the claims of a scope, or write scope for "+
					"all claims that the granted scopes cover", name)
		}
	}
	for name, source := range client.ClaimsMapping {
		claim, _, _ := oidc.ClaimSource(source)
		_, isOwn := client.Claims[claim]
		report.When(claim != "" && !isOwn && !covered.Has(claim), "claims_mapping."+name,
			"no scope that the client may ask for covers the claim %q: add it to the claims of a scope, or write "+
				"{value: %s} for a constant", claim, claim)
	}
}
