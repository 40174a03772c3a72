// Package storage is where everything the provider must remember lives: login sessions, authorization codes and their
// tombstones, consents.
//
//	session, grant, consent   say what they keep:   Bucket[Session], Bucket[Code] …
//	        │  key, record
//	        ▼
//	Bucket[T]                 hashes the key, encodes the record as JSON
//	        │  opaque key, bytes, ttl
//	        ▼
//	Store                     Get, Put, Update: all that an engine has to implement
//	        │
//	        ▼
//	Memory                    one process, gone with it
//	bolt.Store                one process, a file that outlives it
//	redis.Store               any number of processes, one Redis or Valkey
//
// Budget limits how long a request waits for the store. A Cell is one record with a view in memory.
//
// The interface is as small as it can be while still atomic, and no method lists or scans: a package that finds records
// by a second name writes a record under that name. So every engine can offer it, from a map to a cluster.
//
// Expiry has two sides. The owner of a record judges whether it still counts, by a time inside the record and its own
// clock. The ttl given to Put only tells the engine when it may collect the garbage.
//
// Where teaching ends: what each engine promises when a machine dies is in docs/operations.md. A new engine
// has to pass the contract in storagetest.
package storage
