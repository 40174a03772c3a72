// Package keys is the room of the provider's signing keys: it makes them, publishes their public halves at the jwks_uri,
// signs ID tokens and access tokens with them, and recognises tokens that it signed itself.
//
//	configuration ──► New ──► Ring ──► Public   (jwks_uri)
//	                           ├─────► Sign     (the token endpoint)
//	                           └─────► Verify   (id_token_hint, userinfo)
//
// A key's kid is the RFC 7638 thumbprint of its public half, so it says nothing and never collides.
//
// Making an RSA key takes longer than everything else at start, so New returns at once and the keys are made beside it;
// who needs a key first waits for it.
//
// Where teaching ends: the keys are made at start and go with the process, unless the configuration names PEM files.
// Production keeps keys, and rotates them: publish, wait until every client has seen it, sign, retire.
package keys
