// Package keys holds the provider's signing keys: it makes them, publishes their public halves at the jwks_uri, signs
// ID tokens and access tokens with them, verifies tokens that the provider signed itself, and rotates them.
//
//	configuration ─► NewShared ─► KeySet ─► Public (jwks_uri)
//	              └► New ───────►  │   ├──► Sign   (the token endpoint)
//	                               │   ├──► Verify (id_token_hint, userinfo)
//	                               │   └──► Rotate (the console, the command line, the schedule)
//	                 PEM files ◄───┴───► one record in a store, private halves encrypted, read at most once a second
//
// A key's kid is the RFC 7638 thumbprint of its public half, so it reveals nothing else. An RSA key takes long to make,
// so the keys are made in the background; the first call that needs a key waits for it.
//
// If several key sets share a record, the first key set that needs a key makes it, in one atomic step. New has a record
// in memory. The life of a key:
//
//	made ──────────────► replaced ──── Propagation ────► its successor signs ──── Propagation + Lifetime ────► gone
//	     signs, published         both published,                             verifies what it signed
//	                              it still signs
//
// With Sharing.RotateEvery the first call after the due time starts a rotation; of many processes one rotates. Key sets
// need not agree at any moment: each uses the times in the record and its own clock. The clocks must agree to within
// Propagation minus one second, because a view of the record may be one second old.
//
// Where teaching ends: private halves are in this process's memory, and encrypted in the store with a key derived from
// a configured secret. An attacker with the store and the secret has the keys. A deployment with higher risks should
// sign with a KMS or an HSM.
package keys
