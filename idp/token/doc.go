// Package token is the token endpoint (RFC 6749 §3.2, Core §3.1.3): a client exchanges an authorization code, a refresh
// token, a device code or its own credentials for tokens.
//
//	form -> clientauth -> GrantTypes[grant_type] -> Redeem (the code is spent) -> rules -> sign -> JSON, no-store
//
// Not implemented: token exchange (RFC 8693), and assertions as grants (RFC 7521).
package token
