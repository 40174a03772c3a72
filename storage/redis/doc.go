// Package redis stores the provider's records in Redis or Valkey: one server, a server behind Sentinel, or a Cluster.
// Any number of providers share the records, which survive restarts.
//
//	Get ──────────────┐
//	                  ├─ "session:…"  this process's cache ──(missed)──► GET; the server notes the copy
//	                  └─ anything else ────────────────────────────────► GET
//	Put ──────────────────────────────────────────────────────────────► SET … PX ttl
//	Update ── guess the old value ── change ──► swap.lua: replaces the value if the guess was right
//	              ▲                               │ else: the actual value
//	              └───────────────────────────────┘
//
// Each operation uses one key: "hush:" and the key that it was given. Records with the same group share a slot of a
// Cluster: storage.GroupKey gives their keys the same {tag}.
//
// # Trips to the server
//
// Commands of all goroutines share one connection to each server and are pipelined. A Get costs one trip, and none
// where the cache answers. A Put costs one. An Update costs one with a right guess, and two without: it guesses the
// value that this process wrote a moment ago, or that its cache has, or, where a ttl allows to create, no value. The
// script replaces a value only where the guess was right, and an error of change counts only after a read, so a wrong
// guess has no effect. Of Updates of one key that fail twice, one of each process tries again at a time.
//
// # How old an answer of the cache can be
//
// Only sessions are cached: other records are read once, or must be exact. A process sees its own write as soon as the
// write has returned, because a second command follows each write, and the server reports changed copies before it
// answers that command. A process sees the write of another one when the server's report arrives, about half a trip
// after that write has returned. When the network breaks silently, the connection and its copies are dropped within
// [DeadAfter]. No copy is used for longer than [CacheFor].
//
// # When Redis is slow or gone
//
// Each call ends within [storage.Budget], or with its ctx, with an error that unwraps to storage.ErrUnavailable. Reads
// are tried again for some tenths of a second; writes are not, because the first try may have arrived. The next call
// makes a new connection.
//
// # Where teaching ends
//
// The server decides how durable a write is: without appendfsync always it answers before the disk has it, and replicas
// follow later, so that a failover may lose the last writes, such as a spent code. Set maxmemory-policy noeviction: a
// server that evicts records ends sessions early and forgets revocations.
package redis
