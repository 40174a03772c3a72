// Package authorize is the authorization endpoint (RFC 6749 §3.1, Core §3.1.2): a browser arrives with an
// authentication request and leaves with a code, an error, or the address of a page of the provider.
//
//	parameters -> unpack (request object, pushed request) -> returnAddress -> parse -> rules -> Sessions.Current
//	    -> needs -> Grants.Issue -> send the code
//
// An error before a ReturnAddress exists is shown on a page: a provider that redirects to an unverified address is an
// open redirector (RFC 9700 §4.11). After it, an error of the rules goes to the client. A broken need leads to a page,
// and after the page the request starts again; with prompt=none the broken need is an error for the client. At /par a
// client posts the parameters in advance, and the provider judges them by the rules, not the needs (RFC 9126).
//
// Not implemented: encrypted request objects, and a second factor.
package authorize
