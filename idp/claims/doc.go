// Package claims says which claims about a user leave the provider, where, and for what.
//
//	scope ────────────────► covered names ──┐
//	                                        ├──► Userinfo   (Core §5.4, §5.5)
//	claims, userinfo ─► Within ─► names ────┘
//	claims, id_token ─► Within ─► names ───────► IDToken    (Core §5.5)
//
//	release.go  what leaves
//	asked.go    what may be asked for by name, and what a person is asked to allow for it
//
// Every claim belongs to a scope value: the standard ones to those of Core §5.4, the others to those of the configuration. A
// claim can be asked for by its name wherever the client could have asked for its scope, and the user is asked to allow just
// that scope. What belongs to no scope never leaves.
//
// Where teaching ends: all claims are normal claims of this provider (Core §5.6). Aggregated and distributed claims need
// another provider that vouches for them.
package claims
