// Package keys is the room of the provider's signing keys: it makes them, publishes their public halves at the jwks_uri,
// signs ID tokens and access tokens with them, recognises tokens that it signed itself, and replaces them.
//
//	configuration ──► New ────────► Ring ──► Public   (jwks_uri)
//	              └─► NewShared ──►  │ ├───► Sign     (the token endpoint)
//	                                 │ ├───► Verify   (id_token_hint, userinfo)
//	                                 │ └───► Rotate   (the console, the command line, the schedule)
//	                 ┌───────────────┴───────────────┐
//	           local: PEM files,                shared: one record in a store, private halves
//	           or made at start                 encrypted, read at most once a second
//
// A key's kid is the RFC 7638 thumbprint of its public half, so it says nothing and never collides.
//
// Making an RSA key takes longer than everything else at start, so New and NewShared return at once and the keys are made
// beside it; who needs a key first waits for it.
//
// The life of a shared key: whoever needs it first makes it, in one atomic step, and all others use that one. A rotation
// publishes its successor at once and lets it sign later, when every ring and every client has seen it:
//
//	made ──────────────► replaced ──── Propagation ────► its successor signs ──── Propagation + Lifetime ────► gone
//	     signs, published         both published,                             verifies what it signed
//	                              it still signs
//
// With Sharing.RotateEvery a rotation comes by itself: whoever looks at the record when it is due rotates, and of many one does
// (schedule.go).
//
// So no moment needs the rings to agree: each goes by the times in the record and by its own clock. What they must agree on
// is the time, to within Propagation less the three seconds that a view may be old.
//
// Where teaching ends: private halves are in this process's memory, and encrypted in the store with a key made from a
// configured secret. Who has both has the keys. Production with more to lose asks a KMS or an HSM to sign.
package keys
