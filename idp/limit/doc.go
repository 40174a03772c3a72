// Package limit says how often something may happen: requests from one address, tokens for one client, passwords for
// one user.
//
//	limits: in the configuration   Config    "60/1m": 60 at once, and each second one more
//	        │
//	        ▼
//	request ─► Addresses           who asks: the peer, or whom a trusted proxy names; of IPv6 its network
//	        │  key
//	        ▼
//	Table[K]                       a token bucket for each key, the least used forgotten first
//	        │  none left
//	        ▼
//	Exceeded                       429 Too Many Requests, Retry-After, temporarily_unavailable
//
//	POST /login      Login.PerAddress      every request, good or bad
//	  its password   Passwords             wrong ones only: of an address, of a user, of a user from an address
//	POST /token      Token.PerAddress      every request; Token.PerClient: answers with tokens to a confidential client
//
// The answer. RFC 6585 §4: "The 429 status code indicates that the user has sent too many requests in a given amount of
// time", and the response "MAY include a Retry-After header". OAuth has no code of its own for it: RFC 6749 §5.2 lists
// what is wrong with a request, and nothing is. So error is temporarily_unavailable, which is registered, means the
// same to a client (wait, try again) and needs no second rule beside the 503 of a store that is gone; the status tells
// them apart.
//
// What a limit must not do is lock out whom it protects. A client_id can be claimed by anybody, so a client is charged
// for tokens it got and never for requests that were refused; and a public client is all who use it, so it has no limit
// of its own, which one of them could use up and which its success would reach. A user name can be typed by anybody, so
// one address has used up its own share of a user's attempts long before it has used up the user's.
//
// Nothing tells who exists: the tables know names as they were typed, and whoever is refused is refused before a
// password is compared, so a known name and an unknown one behave and cost the same.
//
// Where teaching ends: the tables are this process's own, so n replicas together allow n times as much. Whoever has
// many addresses (a botnet, the many networks of an IPv6 provider) can still use up the attempts of one user;
// production adds second factors, known devices and a proxy that sees the whole picture.
package limit
