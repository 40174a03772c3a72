// Package keys holds the provider's signing keys: it makes them, publishes their public halves at the jwks_uri, signs
// ID tokens and access tokens with them, verifies tokens that the provider signed itself, and rotates them.
//
//	configuration ──► New ────────► KeySet ─► Public   (jwks_uri)
//	              └─► NewShared ──►  │ ├────► Sign     (the token endpoint)
//	                                 │ ├────► Verify   (id_token_hint, userinfo)
//	                                 │ └────► Rotate   (the console, the command line, the schedule)
//	                 ┌───────────────┴───────────────┐
//	           local: PEM files,                shared: one record in a store, private halves
//	           or made at start                 encrypted, read at most once a second
//
// A key's kid is the RFC 7638 thumbprint of its public half, so it carries no information and does not collide.
//
// It takes long to make an RSA key, so New and NewShared return at once and the keys are made in the background; the
// first call that needs a key waits for it.
//
// The life of a shared key: the first key set that needs it makes it, in one atomic step, and all others use that one.
// A rotation publishes its successor at once; the successor signs later, when every key set and every client has seen
// it:
//
//	made ──────────────► replaced ──── Propagation ────► its successor signs ──── Propagation + Lifetime ────► gone
//	     signs, published         both published,                             verifies what it signed
//	                              it still signs
//
// With Sharing.RotateEvery a rotation is started by the first call that needs a key when it is due; of many processes
// one rotates.
//
// So key sets need not agree at any moment: each goes by the times in the record and by its own clock. Their clocks
// must agree to within Propagation less the second that a view may be old.
//
// Where teaching ends: private halves are in this process's memory, and encrypted in the store with a key derived from
// a configured secret. Whoever has the store and the secret has the keys. A deployment with more to lose signs with a
// KMS or an HSM.
package keys
