// Package redis keeps the provider's records in Redis or Valkey, one server, behind Sentinel, or a Cluster, so that any
// number of providers remember the same things and a restart forgets nothing.
//
//	Get ──────────────┐
//	                  ├─ "session:…"  this process's cache ──(missed)──► GET, and the server notes who holds a copy
//	                  └─ anything else ────────────────────────────────► GET
//	Put ──────────────────────────────────────────────────────────────► SET … PX ttl
//	Update ── guess the old value ── change ──► swap.lua: "if it is what I saw, replace it"
//	              ▲                               │ no: here is what it is
//	              └───────────────────────────────┘
//
// Every operation touches one key, "hush:" and the key that it was given, so that a Cluster needs no thought about slots. The
// records of one grant share a slot: storage.Together gives their keys the same {tag}.
//
// # Trips to the server
//
// Commands of all goroutines share one connection to each server and are pipelined. A Get costs one trip, and none where
// the cache answers. A Put costs one. An Update has to know the old value, and guesses it: what this process put there a
// moment ago, or has in its cache, or, where a ttl allows to create, nothing. A right guess costs one trip, no guess or a
// wrong one costs two. A guess decides nothing: the script replaces a value only where the guess was right, and an error
// that change gives for a guess counts only after a read. Updates of one key that come in each other's way stand in line
// within a process, so that only one of each process tries again at a time.
//
// # How old an answer from the cache can be
//
// Only sessions are cached, because everything else is read once or has to be exact. An own write is seen by every Get that
// begins after it returned: behind each write goes a second command, and the server tells of changed copies before it
// answers that one. A write of another process is seen as soon as the server's message arrives, about half a trip after
// that writer has its answer. When the network breaks without a word, the connection is given up, and its copies with it,
// after [DeadAfter] at the most. No copy is used for longer than [CacheFor], whatever happens.
//
// # When Redis is slow or gone
//
// Every call ends within [storage.Budget], or when its ctx does, with an error that unwraps to storage.ErrUnavailable. Reads are tried
// again for some tenths of a second; writes are not, because nobody knows whether the first try arrived. The connection is
// made again by the next call.
//
// # Where teaching ends
//
// What a machine's death costs is for the server to say: without appendfsync always, Redis acknowledges what is not on the
// disk yet; replicas follow a moment later, so that a failover may forget the last writes, a spent code among them. Set
// maxmemory-policy noeviction: a server that evicts records ends sessions early and forgets revocations.
package redis
