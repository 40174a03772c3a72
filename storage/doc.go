// Package storage is where everything the provider must remember lives: login sessions, authorization codes and their
// tombstones, consents.
//
//	session, grant, consent   say what they keep:   Bucket[Session], Bucket[Code] …
//	        │  key, record
//	        ▼
//	Bucket[T]                 hashes the key, encodes the record as JSON
//	        │  opaque key, bytes, ttl
//	        ▼
//	Store                     Get, Put, Update: the whole seam an engine has to implement
//	        │
//	        ▼
//	Memory                    one process, gone with it
//	bolt.Store                one process, a file that outlives it
//	redis.Store               any number of processes, one Redis or Valkey
//
// Budget limits how long a request waits for the store. A Cell is one record with a view in memory.
//
// The interface is as small as it can be while still atomic, and no method lists or scans: a package that finds records
// by a second name writes a record under that name. That keeps every engine honest, from a map to a cluster.
//
// Expiry has two sides. Whether a record still counts is for its owner to judge, by a time inside the record and the
// owner's own clock. The ttl given to Put only tells the engine when it may collect the garbage.
//
// Where teaching ends: what each engine promises when a machine dies is in docs/operations.md. Whoever needs another
// one holds it against the contract in storagetest.
package storage
