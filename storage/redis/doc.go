// Package redis stores the provider's records in Redis or Valkey: one server, a server behind Sentinel, or a Cluster.
// Any number of providers share the records, which survive restarts.
//
//	Get ──────────────┐
//	                  ├─ "session:…"  this process's cache ──(missed)──► GET; the server notes the copy
//	                  └─ anything else ────────────────────────────────► GET
//	Put ──────────────────────────────────────────────────────────────► SET … PX ttl
//	Update ── guess the old value ── change ──► SET … NX, or swap.lua: writes if the guess was right
//	              ▲                               │ else: the actual value
//	              └───────────────────────────────┘
//
// Each operation uses one key: "hush:" and the key of the call. Records of one group share a slot of a Cluster:
// storage.GroupKey gives their keys the same {tag}.
//
// # Round trips to the server
//
// Commands of all goroutines share one connection to each server and are pipelined. A Get costs one round trip, or
// none with an answer of the cache. A Put costs one. An Update costs one after a right guess of the old value. It
// guesses the value in the cache, or, with a ttl, no value. After a wrong guess it costs two, or three if the guess
// was no value. An Update with KeepTTL of a record that is not cached reads the value first, and costs two. A value is
// created by SET NX, and replaced by a script only after a right guess. An error of change counts only after a read,
// so a wrong guess has no effect. If several Updates of one key in one process have failed twice, only one at a time
// tries again.
//
// # The age of an answer of the cache
//
// Only sessions are cached: other records are read once, must be exact, or are in a storage.Cell. A process sees its
// own write when the write has returned, because a second command follows each write, and the server reports changed
// copies before it answers that command. A process sees the write of another process when the server's report arrives,
// about half a round trip after that write has returned. If the network fails without an error, the connection and its
// copies are dropped within [DeadAfter]. No copy is used for longer than [CacheFor].
//
// # A slow or stopped Redis
//
// Each call ends within [storage.Budget], or with its ctx, with an error that unwraps to storage.ErrUnavailable. Reads
// are tried again for some tenths of a second; writes are not, because the first try may have arrived. The next call
// makes a new connection.
//
// The server decides how durable a write is: without appendfsync always it answers before the disk has the write, and
// replicas follow later, so that a failover may lose the last writes, such as the mark of a spent code. Set
// maxmemory-policy noeviction: a server that evicts records ends sessions early and forgets revocations and spent
// codes.
package redis
