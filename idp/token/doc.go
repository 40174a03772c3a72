// Package token is the token endpoint (RFC 6749 §3.2, Core §3.1.3): where a client exchanges its authorization code for an
// ID token and an access token, after the hidden iframe brought the code back.
//
//	form ─► clientauth ─► grantTypes[grant_type] ─► Redeem (the code is spent) ─► rules ─► sign ─► JSON, no-store
//	           │                   │                        │                       │
//	      invalid_client    unsupported_grant_type    invalid_grant            invalid_grant
//	                                                  (and a replay revokes)
//
//	endpoint.go    the walk, and the JSON of the answer
//	clientauth.go  none, client_secret_basic, client_secret_post
//	code.go        grant_type=authorization_code
//	tokens.go      what the ID token and the access token say
//
// Where teaching ends: refresh tokens, assertions and sender-constrained tokens are other rooms, not built yet.
package token
