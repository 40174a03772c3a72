// Package reasons is the room of the explanations: for each reason code of package oidc what happened, how the provider
// knows, how sure it is, and what to do.
//
//	a request fails ──► oidc.Error with a Reason ──► error_description "… [session.none]", error_uri …/reasons/session.none
//	                                                                                                     │
//	docs/reasons.md ◄── Markdown ◄── Groups ──► pages.Reason ──► GET /reasons/session.none ◄─────────────┘
//
//	reasons.go   Reason, Groups, All, ByCode
//	session.go   what can be wrong with the session, or with the cookie that should have opened it
//	request.go   what can be wrong with an authorization request
//	token.go     what can be wrong with a code, a token or a script's request
//	several.go   what only shows when several requests are seen together
//	markdown.go  docs/reasons.md, generated: go test ./idp/dev/reasons -update
//	yaml.go      the configuration that would make a client known
//
// The texts are data. A `word` between backticks is code, as in Markdown; there is no other markup in them.
//
// Where teaching ends: the texts speak about this provider. What they say about browsers was measured in Chromium, Firefox
// and WebKitGTK; Safari was not tested.
package reasons
