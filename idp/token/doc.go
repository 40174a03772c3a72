// Package token is the token endpoint (RFC 6749 §3.2, Core §3.1.3): a client exchanges its authorization code for an
// ID token and an access token, after the hidden iframe brought the code back; and all the other ways to get tokens.
//
//	form ─► clientauth ─► grantTypes[grant_type] ─► Redeem (the code is spent) ─► rules ─► sign ─► JSON, no-store
//	           │                   │                        │                       │
//	      invalid_client    unsupported_grant_type    invalid_grant            invalid_grant
//	                                                  (and a replay revokes)
//
// Each grant type is a file:
//
//	code.go               authorization_code: spend, then judge
//	refresh.go            refresh_token: judge, then replace
//	clientcredentials.go  client_credentials: the client for itself
//	devicecode.go         the device's turn of RFC 8628
//
// And what they share:
//
//	endpoint.go    the walk, and the JSON of the answer
//	dpop.go        the key that the client proves to hold
//	audience.go    which APIs the access token is for
//	tokens.go      what the ID token and the access token say
//
// Where teaching ends: token exchange (RFC 8693) and assertions as grants (RFC 7521) are not among the ways.
package token
