// Package clientkeys finds the public keys of a client: those in its metadata (jwks), or those behind its jwks_uri.
//
//	Verify         a signature's header ──┐                       ┌─ unknown kid, or too old: fetch, rarely
//	                                      ├─► the client's set ───┤
//	ForEncryption  a registered alg ──────┘                       └─ failed a moment ago: the keys from before, or none
//
//	clientkeys.go    Verify, ForEncryption
//	choose.go        which key fits a header: use, alg, kty, kid, size
//	cache.go         the sets that were fetched
//
// A client changes its keys when it likes, without a word. So an unknown kid is a reason to fetch again (Core §10.1.1). But
// anybody can write any kid into a header. So each set has an allowance of fetches for that reason, and one that could not be
// fetched is not tried again for some seconds.
//
// Where teaching ends: the cache is this process's own, and what the answer says of caching is not heard: five minutes are
// short for the one and long for the other, and an unknown kid shortens them.
package clientkeys
