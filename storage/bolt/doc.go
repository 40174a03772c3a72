// Package bolt is the engine that stores records in one file, for one process. The records survive a restart.
//
//	Get                     Put, Update                     Ping, Close
//	 ├─ "code:…" ────────────┼─ "code:…" ──► a storage.Memory, in the file between Close and Open
//	 │                       │  writes of the same millisecond share a transaction (bbolt's DB.Batch)
//	 │                       ▼
//	 │                      apply   old value ─► change ─► new value, one after the other
//	 │                      sweep   some expired records
//	 ▼                       ▼
//	bbolt: a tree in the file, mapped into memory, written with one fsync for each transaction
//
// # Promises
//
// After a Put or Update without an error, the record survives kill -9, and a power cut if the disk honours fsync.
//
// The marks of spent codes are the exception. Most silent renewals write nothing else, and would wait for the disk.
// Close saves the marks with their ID, and Open removes both from the file before it returns. So they survive a stop.
// After a crash there is a new ID, with which no code from before opens. An app that has not redeemed its code then
// needs a new one. The second use of a code from before the crash does not revoke the tokens of the first.
//
// A write ends within storage.Budget with storage.ErrUnavailable. The error says if the disk already has the change, so
// that its effect is unknown. A context that ends before the change has run cancels the write; later it is ignored. Get
// reads mapped memory and has no time limit: the file belongs on a local disk.
//
// A full disk fails writes and no reads, until there is space. After a failed fsync, and after a page that could not be
// read, writes fail until a restart. Writes also fail while the file is not at its path, because the next start would
// not find their records.
//
// # The file
//
// A new file has mode 0600, and a lock excludes other processes. It has two trees: the records by key, each with the
// time of its expiry, and the keys by that time. An expired record is never returned. Free pages are used again; the
// file shrinks when it is opened and more than half of it is free. Copy the file while the provider is stopped. Several
// providers need Redis.
package bolt
