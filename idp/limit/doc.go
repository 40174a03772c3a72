// Package limit limits how often something may happen: requests from one address, tokens for one client, passwords for
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
//	POST /par        Push.PerAddress       requests of public clients, on top of Token.PerAddress; those at
//	                                       /device_authorization count too
//
// The answer is 429 (RFC 6585 §4: "the user has sent too many requests in a given amount of time") with Retry-After.
// RFC 6749 §5.2 has no error for it, so error is temporarily_unavailable, as for the 503 when the store fails.
//
// A limit must not lock out the users that it protects. Anybody can claim a client_id, so only answers with tokens
// count for a client; all users of a public client share its client_id, so a public client has no limit of its own.
// Anybody can type a user name, so one address may use only a small part of the attempts for a user.
//
// A limit does not reveal whether one name exists: typed names are counted, known or not, and an attempt is refused
// before a password is compared. All names of one user count as one, so several names do not give more guesses.
// A disadvantage is that a refused second name tells that both names belong to one user.
//
// Where teaching ends: the tables belong to this process, so n replicas allow n times as much. An attacker with many
// addresses can still use up the attempts for one user; production adds second factors, known devices and a limiting
// proxy.
package limit
