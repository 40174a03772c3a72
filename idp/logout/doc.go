// Package logout ends sign-ins: RP-Initiated Logout, the messages to the other clients of the session, and the page
// where a person sees and ends sessions.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html
// https://openid.net/specs/openid-connect-frontchannel-1_0.html
// https://openid.net/specs/openid-connect-backchannel-1_0.html
//
//	/logout ─► Read ─► is id_token_hint valid? ── yes ──────────► sign out ─┬─► post_logout_redirect_uri
//	                        └─ no ► page asks ► /logout/confirm ► sign out ─┤
//	/account/sessions ──────────────────────────────────────────► sign out ─┤
//	                                                                        ├─► front channel: iframes
//	                                                                        └─► back channel: Sender.Send
//
// A valid id_token_hint proves that the request comes from a client of the session, so the user is not asked again.
// Without it anybody's link could sign the user out (§6): the page asks, and does not redirect afterwards.
//
//	request.go       Read judges a logout request
//	endpoint.go      /logout and its pages, the iframes of the front channel
//	checksession.go  /check_session: the iframe of Session Management
//	sender.go        Sender sends logout tokens in the background and repeats failed requests after 1 s, 5 s and 30 s
//	token.go         the logout token
//	account.go       /account: where a person is signed in, and which apps have access
//
// Where teaching ends: a browser that blocks third-party cookies does not send them to the iframes of the front
// channel, so clients should prefer the back channel. Waiting deliveries are in memory: Close tries each once more, a
// killed process loses them. A session that expires sends no logout token. A product would ask for the password again
// before it shows /account, and would write to the person about a sign-in from a new browser.
package logout
