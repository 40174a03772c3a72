// Package rp is a relying party. A server-side Go application uses it to sign its users in at an OpenID provider, to
// renew their tokens silently in a hidden iframe, and to protect an API with access tokens. go-oidc, x/oauth2,
// securecookie and go-jose do the cryptography and the wire formats; this package checks the rest.
//
// The smallest application calls Mount, which registers all handlers, and reads the signed-in user from Session: see
// the Example and docs/how-to-rp.md. An API needs a Resource only. A sign-in:
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
//	   │                                     ├─ access token ────────────────────►│ (with UserInfoAtSignIn)
//	   │                                     │◄─ userinfo ────────────────────────┤
//	   │◄─ 303 return_to, session cookie ────┤ checks both, OnSignIn, new session │
//
// For silent renewal the application also sets SilentRedirectURI, where SilentCallback serves a page. SilentLogin asks
// with prompt=none, so the provider answers with one redirect and no page. The answer goes to the page and not to
// Callback: Firefox withholds the application's Lax cookies from a redirect of another site inside an iframe. The page
// POSTs its query to FinishSilent, because every browser sends the cookies with a fetch of the same origin, and passes
// the result on to its parent window.
//
// A browser that blocks third-party cookies may withhold the provider's cookie from the iframe; the provider answers
// login_required then. The attribute allow="identity-credentials-get https://provider.example" on the iframe lets a
// provider's page in it ask the browser for the cookie. If that fails too, the page sends the browser to
// login?prompt=none&return_to=/here, a redirect of the whole page, to which browsers send the cookie.
//
// With the scope offline_access a page may renew by Refresh instead, and by SilentLogin when Refresh answers
// not_refreshable. TokenSource and Client refresh an expired access token by themselves.
//
// Failures: Login, Callback and Logout redirect the browser to a page of the application with error and
// error_description in the query; the handlers for fetch answer with the same two as JSON. The codes are those of OAuth
// and of errors.go; the description names the broken rule and says what to do.
//
// The provider can end sessions: by BackChannelLogout, by FrontChannelLogout, and a page that loads MonitorScript
// notices when the user signs out at the provider:
//
//	import { watchSession } from "/web/monitor.js";
//	watchSession("/web/monitor", { changed: loadSilentIframe, failed: console.warn });
//
// docs/relying-party.md compares the package with the OpenID Foundation's list of tests.
//
// Where teaching ends: a nil Store forgets all sessions when the process ends, and nil CookieKeys and a nil DPoPKey are
// new at each start; several replicas must share all three. The store holds tokens in clear: a production engine
// encrypts at rest. A session lasts at most 12 hours, also with a refresh token. ID Tokens signed by HS256 or none are
// always refused. A plain ID Token is accepted where an encrypted one would be. Dynamic registration, WebFinger, the
// device grant, the client's own request_uri, JARM and mutual TLS are missing. Aggregated and distributed claims are
// passed on unchanged. A code of more than about 900 bytes is too long for form_post. Discovery is read once in the
// life of a process, so a provider that moves its endpoints needs a restart of its clients.
//
// "Core" in a comment is OpenID Connect Core 1.0: https://openid.net/specs/openid-connect-core-1_0.html
package rp
