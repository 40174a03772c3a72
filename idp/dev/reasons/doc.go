// Package reasons explains each reason code of package oidc: what happened, how the provider knows, how sure it is, and
// what to do.
//
//	a request fails ──► oidc.Error with a Reason ──► error_description "… [session.none]", error_uri …/session.none
//	                                                                                                     │
//	*.md ──► Groups ──► pages.Reason ──► GET /reasons/session.none ◄─────────────────────────────────────┘
//	  └──► Markdown ──► docs/reasons.md
//
//	session.md, request.md, token.md, several.md   the texts: edit these, then run go test ./idp/dev/reasons -update
//	reasons.go                                     reads the texts
//	yaml.go                                        the configuration that registers a client
//
// A `word` between backticks is code; the paragraphs have no other markup.
//
// Where teaching ends: the texts are about this provider. Their statements about browsers were measured in Chromium,
// Firefox and WebKitGTK; Safari was not tested.
package reasons
