// Package oidc has the types that provider and relying party share: errors and their codes, clients, scopes, prompts,
// rules, the provider's metadata. It imports no other package of this module, and sends nothing over the network.
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package oidc
