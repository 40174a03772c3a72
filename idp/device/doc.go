// Package device is the device flow (RFC 8628), for a television or a command line without a browser. The device shows
// a short code, a person types it at /device in a browser, and meanwhile the device polls the token endpoint.
//
//	device:  POST /device_authorization ──► Begin ──► device_code, user_code       ┌──► authorization_pending, slow_down
//	person:  GET  /device?user_code=…   ──► Find ──► the page that asks            │    access_denied, expired_token
//	         POST /device               ──► Decide                                 │
//	device:  POST /token                ──► Redeem ────────────────────────────────┴──► grant.Grant
//
//	authorization.go   the device authorization endpoint
//	devices.go         the record behind the two codes: begin, find, decide, redeem
//	usercode.go        codes for people to type
//	endpoint.go        the page
//
// The store contains neither code: the record has the grant's id as key and a hash of the device code; the hash of the
// user code is the key of the grant's id. A user code has 34 bits and lives ten minutes. Package idp/limit counts wrong
// ones, and the page checks a code only after the sign-in.
//
// Where teaching ends: the tokens belong to no session of the browser, so signing out there does not end them.
package device
