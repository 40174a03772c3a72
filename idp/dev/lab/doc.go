// Package lab is the failure lab: it makes the provider fail on purpose, so that an application, or a test, can see
// what it does then. A Fault says what goes wrong, for which client, at which endpoint, and how often or until when.
// The lab also keeps the Clock that the provider goes by, which can be moved forward.
//
//	POST /console/faults ──► Lab.Add ──► faults ──► Ended (used up, expired, cancelled)
//	                                       │
//	request ──► Intercept ── requestInfo ──► endpoint ──► Sessions   lost, expired, another user's; no cookies
//	            delay, drop, status,   authorize ─► Clients    short lifetime, no first party any more
//	            no_cors, html_page …             └► Consents   withdrawn
//	                                   token ─────► Grants     code spent already
//	                                             └► Sign       wrong claims, wrong signature, wrong key
//
// The protocol's own code has no branch for a fault: the endpoints get decorators of the parts that they use, and
// Intercept wraps each endpoint. Intercept writes a requestInfo into the request's context, by which the decorators
// choose a fault. A fault counts as used when it takes effect: a fault of sessions waits for a request that has a
// session. The trace records each use.
//
// Faults and clock are one record of the store (storage.Cell), so that replicas share them: a fault for one request
// meets one, whichever replica it reaches.
//
// Where nobody added a fault all of this is one atomic load a request. A nil *Lab decorates nothing.
//
// Where teaching ends: the provider opens the lab in development mode only. What a fault leaves behind is real: a code
// that it spent is spent, a token with a wrong claim is signed. Only a client_id that the request itself carries is
// compared, so a request that comes back from the sign-in page, sealed, is met only by faults for any client.
package lab
