// Package session holds login sessions: the accounts that are signed in with a browser, and the cookie by which the
// provider recognises the browser. Silent renewal depends on it: the request of the hidden iframe carries the cookie,
// and the cookie opens the session.
//
//	sign-in ──► SignIn ──► record in the store  ◄── id ── cookie pair ──► browser
//	                             ▲                                          │
//	hidden iframe ──► Current ───┴────────────── the cookies that arrived ◄─┘
//
// A session holds accounts, several side by side, as prompt=select_account wants them. It has an id, by which the
// record is found, and a secret, new at every sign-in, of which the record keeps the hash only. The cookie carries both
// and nothing else. So neither an old cookie nor a stolen store opens a session, and a sid, which names session and
// account in tokens, can end a session without a second index.
//
// The list of a user's sessions is written before the session is, and costs one store operation more at a sign-in, at a
// sign-out one for each account and one more, and none at a renewal. No address is kept: behind a proxy it tells
// little, and it is personal.
//
// Where teaching ends: production would also notice a cookie used from two places at once. And when a session ends by
// not being used, nothing happens in the browser: a check_session_iframe sees that only after the browser's next
// request here.
package session
