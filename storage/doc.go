// Package storage stores the provider's records: login sessions, spent codes, consents and others.
//
//	session, grant, consent   name their records:   Bucket[Session], Bucket[Mark] …
//	        │  key, record
//	        ▼
//	Bucket[T]                 hashes the key, encodes the record
//	        │  opaque key, bytes, ttl
//	        ▼
//	Store                     Get, Put, Update: the methods of an engine
//	        │
//	        ▼
//	Memory                    one process; its records end with it
//	bolt.Store                one process, a file that survives it
//	redis.Store               any number of processes, one Redis or Valkey
//
// Budget limits how long a request waits for the store. A Cell is one record with a view in memory.
//
// No method lists or scans, so that a map and a cluster can both implement Store: a package that finds records by a
// second name writes a record under that name.
//
// The owner of a record decides whether it is still valid, by a time inside the record and its own clock. The ttl given
// to Put only says when the engine may delete the record.
//
// docs/operations.md says what each engine promises when a machine fails. A new engine has to pass the contract in
// storagetest.
package storage
