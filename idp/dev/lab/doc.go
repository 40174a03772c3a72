// Package lab is the failure lab: it makes the provider fail on purpose, so that a developer or a test sees how an
// application reacts. A Fault has a kind, a client, an endpoint, and a number of uses or an end time. The lab also has
// the Clock of the provider, which can be moved and frozen.
//
//	POST /console/faults ──► Lab.Add ──► faults ──► Ended (used up, expired, cancelled)
//	                                       ▲ Use
//	request ──► Intercept ── requestInfo ──┴► endpoint ──► decorators of package dev: clients, consents, sessions,
//	            delay, drop, status, page …                grants, signer
//
// The protocol's own code has no branch for a fault. Intercept wraps each endpoint and writes a requestInfo into the
// request's context. Use chooses a fault by this requestInfo. A fault is used when it takes effect: a fault of sessions
// waits for a request that has a session. The trace records each use. Faults and clock are one record of the store
// (storage.Cell), so replicas share them. Without a fault the lab costs one atomic load for each request.
//
// Where teaching ends: the lab exists in development mode only. Its effects are real: code_spent redeems the code, and
// a token with a wrong claim has a valid signature. A request that comes back from the sign-in page carries no
// client_id, so only faults for any client concern it.
package lab
