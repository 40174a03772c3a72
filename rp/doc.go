// Package rp is a relying party: it lets a server-side Go application sign its users in at an OpenID provider, keep them
// signed in by silent renewal in a hidden iframe, and protect an API with the tokens that come out of it. The protocol's
// hard parts are done by go-oidc, x/oauth2, securecookie and go-jose; this package joins them and checks what they leave
// to the caller.
//
// The application mounts five handlers, and one page of its own for the silent callback:
//
//	browser                            application (rp)                        provider
//	   │  GET login                          │                                    │
//	   ├────────────────────────────────────►│ state, nonce, verifier             │
//	   │◄─ 303, encrypted flow cookie ───────┤ into a cookie of their own         │
//	   ├──────────────── GET authorization endpoint ─────────────────────────────►│ signs the user in
//	   │◄─────────────── 303 RedirectURI?code&state&iss ──────────────────────────┤
//	   ├─ GET callback, flow cookie ────────►│ state, iss                         │
//	   │                                     ├─ code, verifier, secret ──────────►│
//	   │                                     │◄─ ID Token, access token ──────────┤
//	   │◄─ 303 return_to, session cookie ────┤ checks the ID Token, new session   │
//
// The silent walk differs in two places. SilentLogin asks with prompt=none and the last ID Token as id_token_hint, so the
// provider answers with one redirect and no page. And the answer lands on a page of the application, not on Callback:
// the browser got there by a redirect from another site, inside an iframe, and Firefox (and WebKit with tracking
// prevention) withholds the application's own Lax cookies from that request. A same-origin fetch carries them
// everywhere, so the page POSTs its query to FinishSilent, and tells its parent window what came back:
//
//	const answer = await fetch("finish", { method: "POST", body: new URLSearchParams(location.search) });
//	parent.postMessage(await answer.json(), location.origin);
//
// The rooms:
//
//	config.go      Config, New: what is wrong with a configuration is said before the first request
//	provider.go    lazy discovery: start order does not matter, success is kept, failure is tried again
//	transport.go   the back channel: reaching the provider at another address than the browser does
//	cookie.go      names, attributes and keys of the cookies
//	flow.go        what one authorization request must remember until its answer comes
//	login.go       Login, SilentLogin
//	callback.go    Callback, FinishSilent: state, iss, errors, the code exchange
//	rule.go        one sentence of a specification about a token
//	verify.go      the ID Token, rule by rule
//	session.go     the application's own session; TokenSource, UserInfo
//	logout.go      Logout
//	resource.go    Resource: the middleware in front of an API
//	bearer.go      RFC 6750: where a token may stand in a request, and what a refusal looks like
//	accesstoken.go RFC 9068: the access token, rule by rule
//	keyset.go      the provider's keys, cached
//	errors.go      the codes and words of failures
//
// Where teaching ends: a nil Store forgets all sessions when the process ends, and nil CookieKeys are fresh at each
// start; several replicas need to share both. The store holds tokens in clear: a production engine encrypts at rest. A
// session lives for at most 12 hours; there are no refresh tokens, no back-channel logout and no form_post answers
// here. Discovery is read once in the life of a process (keys are fetched again when an unknown one appears), so a
// provider that moves its endpoints needs a restart of its clients.
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package rp
