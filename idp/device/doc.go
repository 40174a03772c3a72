// Package device is the room of devices that have no browser (RFC 8628): a television, a command line. The device shows a short code,
// a person types it at /device in a browser of their own, and meanwhile the device asks the token endpoint again and again.
//
//	device:  POST /device_authorization ──► Begin ──► device_code, user_code       ┌──► authorization_pending, slow_down
//	person:  GET  /device?user_code=…   ──► Find ──► the page that asks            │    access_denied, expired_token
//	         POST /device               ──► Decide                                 │
//	device:  POST /token                ──► Redeem ─────────────────────────────────┴──► grant.Grant
//
//	authorization.go   the device authorization endpoint
//	devices.go         the record behind the two codes: begin, find, decide, redeem
//	usercode.go        codes that a person types
//	endpoint.go        the page
//
// The store is shown neither code: the record lies under the grant's id with a hash of the device code, and under a hash of the user
// code lies the grant's id. A user code has 34 bits and lives ten minutes; how often one may be wrong is for Endpoint.Attempt to say
// (idp/limit), and only who is signed in is told whether one is right.
//
// Where teaching ends: the tokens belong to no session of the person's browser, so signing out there does not end them.
package device
