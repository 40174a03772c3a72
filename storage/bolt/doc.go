// Package bolt is the engine that stores records in one file, for one process, and has them again after a restart.
//
//	Get                     Put, Update                     Ping, Close
//	 │                       │  writes of the same millisecond share a transaction (bbolt's DB.Batch)
//	 │                       ▼
//	 │                      apply   old value ─► change ─► new value, one after the other
//	 │                      sweep   some expired records
//	 ▼                       ▼
//	bbolt: a tree in the file, mapped into memory, written with one fsync for each transaction
//
// bolt.go is the Store, transaction.go writes and explains errors, table.go says what the file contains, open.go opens,
// checks and compacts the file.
//
// # What is promised
//
// After a Put or Update without an error, the record survives kill -9, and a power cut if the disk honours fsync.
//
// A write ends within storage.Budget with storage.ErrUnavailable. If the disk already had the change, it is unknown
// whether the change took effect, and the error says so. A context that ends before the change has run takes the change
// back; later it is ignored, because the change may have taken effect. Get reads mapped memory and has no time limit:
// the file belongs on a local disk.
//
// A full disk fails writes and no reads, until there is room. After a failed fsync, and after a page that could not be
// read, writes fail until a restart. They also fail while the file is not at its path, because the next start would not
// find what they wrote.
//
// # The file
//
// Its mode is 0600 when it is made, and a lock excludes other processes. It holds two trees: the records by key, each
// behind the time of its expiry, and the same keys ordered by that time for the sweep. An expired record is never
// returned, whether it was swept or not. Free pages are used again; the file shrinks when it is opened and more than
// half of it is free.
//
// Where teaching ends: one process, one disk. Copy the file while the provider is stopped. Several providers need
// Redis.
package bolt
