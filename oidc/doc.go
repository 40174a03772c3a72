// Package oidc is the vocabulary that the rooms of this house share: errors and their codes, clients, scopes, prompts,
// the provider's metadata. It holds words and the rules about single words; it imports nothing of ours and does
// nothing on the network.
//
//	error.go     Error: one value with three faces (redirect parameters, JSON, a page's status)
//	client.go    Client: what RFC 7591 calls client metadata
//	problem.go   what is wrong with a client's metadata
//	redirect.go  which redirect_uri equals a registered one; loopback hosts; the origin of a URI
//	scope.go     Scope, and the claims that each scope asks for (Core §5.4)
//	prompt.go    Prompt: none, login, consent, select_account
//	metadata.go  Metadata: the document at /.well-known/openid-configuration
//	bearer.go    the access token in an Authorization header (RFC 6750)
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package oidc
