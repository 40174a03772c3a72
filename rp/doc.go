// Package rp is a relying party: it lets a server-side Go application sign its users in at an OpenID provider, keep them
// signed in by silent renewal in a hidden iframe, and protect an API with the tokens that come out of it. The protocol's
// hard parts are done by go-oidc, x/oauth2, securecookie and go-jose; this package joins them and checks what they leave
// to the caller.
//
// The smallest application mounts Login, Callback and Logout, and asks Session who is there: see the Example. An API is
// protected by a Resource, which needs none of this. A sign-in:
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
// For silent renewal the application mounts SilentLogin and FinishSilent too, and has one page of its own for the silent
// callback. The silent walk differs in two places. SilentLogin asks with prompt=none and the last ID Token as id_token_hint, so the
// provider answers with one redirect and no page. And the answer lands on a page of the application, not on Callback:
// the browser got there by a redirect from another site, inside an iframe, and Firefox (and WebKit with tracking
// prevention) withholds the application's own Lax cookies from that request. A same-origin fetch carries them
// everywhere, so the page POSTs its query to FinishSilent, and tells its parent window what came back:
//
//	const answer = await fetch("finish", { method: "POST", body: new URLSearchParams(location.search) });
//	parent.postMessage(await answer.json(), location.origin);
//
// With offline_access among the scopes a page may renew by Refresh instead, without an iframe and without the provider's
// session. When that answers not_refreshable, it falls back to the silent walk. The page's own server does the same by
// itself: TokenSource and Client give out a fresh access token whenever the old one has expired. (A provider may want
// prompt=consent at the sign-in before it gives a refresh token, Core §11: Login hands it through.)
//
// Failures: Login, Callback and Logout send the browser to a page of the application's, with error and error_description in
// the query; the handlers for fetch answer with the same two as JSON. The codes are OAuth's and those of errors.go; the
// description says which rule was broken, or what to do.
//
// The provider ends sessions too. BackChannelLogout takes its signed word from its server, FrontChannelLogout from an iframe
// of its sign-out page. And a page that loads MonitorScript notices by itself that the user has signed out elsewhere:
//
//	import { watchSession } from "/web/monitor.js";
//	watchSession("/web/monitor", { changed: loadSilentIframe, failed: console.warn });
//
// What an application can mount, beside Login, Callback, SilentLogin, FinishSilent and Logout:
//
//	POST refresh          Refresh              GET  monitor        Monitor
//	POST back-channel     BackChannelLogout    GET  monitor.js     MonitorScript
//	GET  front-channel    FrontChannelLogout   POST sign-out-here  SignOutHere
//	GET  initiate-login   InitiateLogin        GET  jwks.json      JWKS
//
// The rooms:
//
//	config.go       Config, New: what is wrong with a configuration is said before the first request
//	options.go      what is wrong with keys and algorithms
//	provider.go     lazy discovery: start order does not matter, success is kept, failure is tried again
//	transport.go    the back channel: reaching the provider at another address than the browser does
//	attempt.go      requests in which something is fresh each time: assertions, proofs, a nonce that the server asks for
//	clientauth.go   how the client proves who it is: secret, client_secret_jwt, private_key_jwt; JWKS
//	dpop.go         proofs that tokens are presented by whom they were given to; Client
//	cookie.go       names, attributes and keys of the cookies
//	flow.go         what one authorization request must remember until its answer comes
//	request.go      the authorization request, signed if need be; InitiateLogin
//	push.go         the same, pushed
//	login.go        Login, SilentLogin
//	callback.go     Callback, FinishSilent: state, iss, errors, the code exchange
//	formpost.go     an answer that comes by a POST
//	rule.go         one sentence of a specification about a token
//	verify.go       the ID Token, rule by rule
//	decrypt.go      tokens that are encrypted as well
//	session.go      the application's own session; TokenSource
//	refresh.go      Refresh: the refresh token, and the ID Token that comes with it, rule by rule
//	userinfo.go     UserInfo, rule by rule
//	logout.go       Logout, SignOutHere
//	signedout.go    the marks that the provider's sign-outs leave
//	backchannel.go  BackChannelLogout: the logout token, rule by rule
//	frontchannel.go FrontChannelLogout
//	monitor.go      Monitor, MonitorScript
//	resource.go     Resource: the middleware in front of an API
//	bearer.go       RFC 6750: where a token may stand in a request, and what a refusal looks like
//	accesstoken.go  RFC 9068: the access token, rule by rule
//	proof.go        RFC 9449: the proof that comes with a token, rule by rule
//	keyset.go       the provider's keys, cached
//	errors.go       the codes and words of failures
//
// What a provider may get wrong, and is refused for: rule.go and its tables; each refusal names the rule that was broken.
// Beyond the tables: discovery that names another issuer, or has plain http endpoints under an https issuer; an answer with
// another iss (mix-up) or an unknown state; a signature by alg none, by HMAC, by an algorithm that is not listed or not the
// registered one, by a key that is not published, or without kid where several keys are. docs/relying-party.md holds all of
// it against the OpenID Foundation's list.
//
// Where teaching ends: a nil Store forgets all sessions when the process ends, and nil CookieKeys and a nil DPoPKey are fresh
// at each start; several replicas need to share all three. The store holds tokens in clear: a production engine encrypts at
// rest. A session lives for at most 12 hours, also with a refresh token. ID Tokens are never taken by HS256 or none, be it
// from the token endpoint; and a plain one is taken where an encrypted one would be. There is no dynamic registration, no
// WebFinger, no device grant, no request_uri of the client's own, no JARM and no mutual TLS here (a Resource refuses tokens
// that are bound by it); and aggregated and distributed claims are passed on as they are. A code of more than about 900
// bytes is too long for form_post. Discovery is read once in the life of a process (keys are fetched again when an unknown
// one appears), so a provider that moves its endpoints needs a restart of its clients.
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package rp
