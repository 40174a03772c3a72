package console

import (
	"github.com/hush-idp/hush/oidc"
)

// The places of claims.
const (
	inIDToken     = "id_token"
	inAccessToken = "access_token"
	inUserinfo    = "userinfo"
)

// cause says why a claim is there, and the section.
func (g granted) cause(place, name string) (why, spec string) {
	if source, ok := g.mapping(name); ok {
		return source, ""
	}
	if oidc.IsReservedClaim(name) {
		return ownClaim(place, name)
	}
	if _, asked := g.requested(place)[name]; asked {
		return "the parameter claims asks for it", "Core §5.5"
	}
	if g.user == nil {
		return "the configuration of the client has it among claims", ""
	}
	return g.scopeCause(place, name)
}

// mapping is the entry of claims_mapping that writes the claim.
func (g granted) mapping(name string) (string, bool) {
	for target, source := range g.client.ClaimsMapping {
		if oidc.ClaimPath(target)[0] != name {
			continue
		}
		if claim, _, _ := oidc.ClaimSource(source); claim != "" {
			return "claims_mapping of the client: " + target + " is the claim " + claim, true
		}
		return "claims_mapping of the client: " + target + " is a constant", true
	}
	return "", false
}

// ownClaims are claims that the provider writes, with the reason and the section; others are in every such token.
var ownClaims = map[string][2]string{
	"nonce":      {"the request had a nonce", "Core §2"},
	"at_hash":    {"the hash of the access token beside it", "Core §3.1.3.6"},
	"sid":        {"the session of the browser, for logout", "OpenID Connect Front-Channel Logout 1.0 §3"},
	"auth_time":  {"the time of the sign-in", "Core §2"},
	"acr":        {"the class of the sign-in", "Core §2"},
	"amr":        {"the methods of the sign-in", "Core §2"},
	"scope":      {"the granted scope", "RFC 9068 §2.2.3"},
	"cnf":        {"the key that the token is bound to", "RFC 9449 §6.1"},
	"grant_id":   {"of this provider: the token is refused after its grant was revoked", ""},
	"granted_at": {"of this provider: the token is refused if the user withdrew the grant later", ""},
	"kept":       {"of this provider: sub is pairwise, and the store has the sub of the user", ""},

	"userinfo_claims": {"of this provider: the claims that the parameter claims requests from userinfo", "Core §5.5"},
}

func ownClaim(place, name string) (why, spec string) {
	if known, ok := ownClaims[name]; ok {
		return known[0], known[1]
	}
	switch place {
	case inAccessToken:
		return "every access token has it", "RFC 9068 §2.2"
	case inUserinfo:
		return "every answer of userinfo has it", "Core §5.3.2"
	}
	return "every ID token has it", "Core §2"
}

// scopeCause names the scope value that covers the claim, and the setting that puts it into this token.
func (g granted) scopeCause(place, name string) (why, spec string) {
	for _, value := range g.Scope {
		if !g.release.Names(oidc.Scope{value}).Has(name) {
			continue
		}
		if place == inUserinfo {
			return "scope " + value + " covers it", "Core §5.4"
		}
		ofClient, ofScope, setting := g.client.IDTokenClaims, g.release.InIDToken, "id_token_claims"
		if place == inAccessToken {
			ofClient, ofScope, setting = g.client.AccessTokenClaims, g.release.InAccessToken, "access_token_claims"
		}
		switch {
		case ofClient.Has(name):
			return "scope " + value + " covers it, and " + setting + " of the client names it", ""
		case ofScope[value].Has(name):
			return "scope " + value + " covers it, and " + setting + " of this scope value names it", ""
		}
	}
	return "the provider does not know the cause", ""
}

// requested are the claims that the parameter claims asks for in this place.
func (g granted) requested(place string) map[string]*oidc.ClaimRequest {
	switch {
	case g.Claims == nil:
		return nil
	case place == inIDToken:
		return g.Claims.IDToken
	case place == inUserinfo:
		return g.Claims.Userinfo
	}
	return nil
}
