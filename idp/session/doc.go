// Package session holds login sessions: the accounts that are signed in with a browser, and the cookie by which the
// provider recognises the browser. Silent renewal depends on it: the request of the hidden iframe carries the cookie,
// and the cookie opens the session.
//
//	sign-in ──► SignIn ──► record in the store  ◄── id ── cookie pair ──► browser
//	                             ▲                                          │
//	hidden iframe ──► Current ───┴────────────── the cookies that arrived ◄─┘
//
// A session can hold several accounts, as prompt=select_account requires. It has an id and a secret. The id is the key
// of the record. The secret is new at every sign-in, and the record has only its hash. The cookie has both and nothing
// else, so neither an old cookie nor a stolen store opens a session. A sid in a token names session and account, so it
// can end a session without a second index.
//
// The list of a user's sessions is written before the session. It costs one store operation at a sign-in, one more than
// the number of accounts at a sign-out, and none at a renewal. Addresses are not stored: they are personal data, and of
// little use behind a proxy.
//
// Where teaching ends: production would also notice a cookie used from two places at once. A check_session_iframe
// detects that an idle session ended only after the browser's next request to the provider.
package session
