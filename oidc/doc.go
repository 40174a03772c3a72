// Package oidc is the vocabulary that provider and relying party share: errors and their codes, clients, scopes,
// prompts, rules, the provider's metadata. It imports no other package of this module, and sends nothing over the
// network.
//
//	rule.go      Rule, Table and Judge: checks as tables of sentences of a specification
//	error.go     Error: one value with three forms (redirect parameters, JSON, a page's status)
//	reason.go    Reason: why something failed, finer than an error code
//	client.go    Client: client metadata (RFC 7591)
//	problem.go   mistakes in a client's metadata
//	params.go    scope, prompt, claims and resource: parameters of an authorization request
//	redirect.go  which redirect_uri equals a registered one; loopback hosts; the origin of a URI
//	metadata.go  Metadata: the document at /.well-known/openid-configuration
//	bearer.go    the access token in an Authorization header (RFC 6750)
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package oidc
