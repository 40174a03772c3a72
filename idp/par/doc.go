// Package par keeps authorization requests that clients pushed (RFC 9126), from the push until there is a code.
//
//	/par ── Push ──► record, for some minutes ── Open ──► judged, pages, judged again ── Spend ──► tombstone, for a day
//	                                               │                                        │
//	                                               └─ as often as the browser reloads        └─ once; the second is ErrSpent
//
// A request_uri is spent when a code is issued and not when the browser first brings it: FAPI 2.0 §5.3.2.2 wants "one-time use
// of request_uri values at the point of authorization, not at the point of loading an authorization page", since browsers load
// pages twice. The request itself travels on through the pages in the browser, so the record may go before the person is done;
// the tombstone is made all the same, and outlives every page that could still lead here.
//
// Where teaching ends: the request's parameters are readable in the browser that carries them through the pages.
package par
