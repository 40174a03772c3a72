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
//
// The seam is as small as it can be while still atomic, and nothing in it lists or scans: who needs to find a record by a
// second name writes a record under that name. That keeps every engine honest, from a map to a cluster.
//
// Expiry has two sides. Whether a record still counts is for its owner to judge, by a time inside the record and the
// owner's own clock. The ttl given to Put only tells the engine when it may collect the garbage.
//
// Where teaching ends: Memory forgets everything when the process ends and is seen by one process only. A provider that
// must survive a restart, or that runs in several replicas, needs another engine behind the same seam; storagetest holds
// the contract that such an engine has to pass.
package storage
