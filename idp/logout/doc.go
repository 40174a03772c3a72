// Package logout is the end_session_endpoint: RP-initiated logout, and what the browser does for the other clients of the session.
// https://openid.net/specs/openid-connect-rpinitiated-1_0.html
// https://openid.net/specs/openid-connect-frontchannel-1_0.html
//
//	/logout ─► Read ─► id_token_hint good, address registered or none? ── yes ► sign out ─► Tell ─► post_logout_redirect_uri
//	                        │                                                                │            ▲
//	                        │                                                                └► a page with an iframe for each
//	                        └─ no ► a page that asks ► POST /logout/confirm ► sign out ► Tell ─► client of the session
//	                                                                                            (frontchannel_logout_uri)
//
// A good id_token_hint proves that the request comes from a client that the user signed in to, so nobody is asked again;
// without it anybody's link could sign the user out (§6), so the page asks, and never redirects afterwards.
//
//	request.go       Read: what was asked, and whether it is proven
//	endpoint.go      the pages
//	frontchannel.go  the iframes
//
// Clients with a backchannel_logout_uri are told by package backchannel. Those that hear of it in their own pages, by the check_session_iframe, see the new browser
// state with their next look.
//
// Where teaching ends: in a browser that blocks third-party cookies a client does not recognise its user in the iframe. A
// frontchannel_logout_uri that goes by sid works there too; the back channel is better.
package logout
