// Package static embeds the texts, styles and scripts of both programs, so that each program is one file.
//
//	idp/     the provider's styles and scripts; languages/ has the texts of its pages; their HTML is in idp/pages
//	shared/  the look both programs share: hush.css (its first comment lists the classes), favicon.svg, quiet.svg
//	demo/    the demo relying party: its pages and readable ES modules
//
// Files serves the styles, scripts and pictures: compressed, and with an ETag.
//
// # The provider's pages
//
// Every page works as a plain form without script and holds no inline script or style, so it can be served under
//
//	default-src 'none'; style-src 'self'; img-src 'self' data: https:; script-src 'self'
//
// A script runs on Console; on FormPost, WebMessage, CheckSession and Probe, which nobody reads; on SignedOut when it
// redirects by itself; and on Error in a hidden iframe.
//
// # Where teaching ends and production begins
//
// The pages cover sign-in, consent and sign-out, in five languages. A product would add a password
// reset, registration, its name and its legal texts.
package static
