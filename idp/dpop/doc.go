// Package dpop is the room of proofs: by one a client shows that it holds a key, and a token that is bound to the key is of no
// use to whoever steals the token alone (RFC 9449).
//
//	DPoP: header ─► one JWT ─► its key from its own header ─► signature ─► the rules ─► nonce ─► jti not seen before ─► Proof{JKT}
//
//	proof.go     Checker.Check: the walk
//	rules.go     what a proof must say, as a table
//	target.go    when two URLs are one (htu)
//	nonce.go     the server's nonces, which nobody has to remember
//
// A proof is good for one request: its method, its URL, the access token that goes with it, and a moment. The moment is told by
// the client's clock (iat), or, where that may be wrong, by the server's nonce, which the client only repeats.
//
// Where teaching ends: the key's owner can sign proofs for later and hand them out; nonces shorten that to minutes. A script
// that runs in the client's page uses the key without stealing it, and nothing here helps.
package dpop
