// Package bolt is the engine that keeps its records in one file: for one process, and there again after a restart.
//
//	Get                         Put, Update                       Ping, Close
//	 │                           │  one at a time to the writer
//	 │                           ▼
//	 │                  gather   who came while the disk was busy
//	 │                           │  up to 1,000 in one transaction
//	 │                           ▼
//	 │                  apply    old value ─► change ─► new value, in the order they came
//	 │                  sweep    some of what has expired
//	 │                           │
//	 ▼                           ▼
//	bbolt: a tree in the file, mapped into memory, written with one fsync for all of them
//
// bolt.go is the Store, commit.go the writer, table.go what stands in the file, open.go how a file is opened, judged and
// compacted.
//
// # What is promised
//
// Whoever got no error from Put or Update finds the record after kill -9, and after a power cut if the disk does what fsync
// asks. Nobody waits for a timer: one writer pays for one fsync, and those who come meanwhile share the next.
//
// A call takes two seconds at most, then it fails with storage.ErrUnavailable. If its change was in the hands of the
// disk by then, nobody knows yet whether it holds, and the error says so. A context that ends before that moment takes the
// change back; one that ends after it is not looked at, because the change may already be there. Get reads mapped memory and
// is not timed: the file belongs on a local disk.
//
// A full disk fails the writes and none of the reads, until there is room. After an fsync that failed nobody knows what the
// disk holds, and after a page that could not be read what the file is worth: then writes fail until the process is started
// again. They fail too while the file is no longer at its path, because the next start would not find what they wrote.
//
// # The file
//
// Its mode is 0600 when it is made, and a lock on it keeps a second process out. Two trees hold everything: records by
// key, each behind the time of its expiry, and the same keys ordered by that time, so that the sweep finds what is due
// without a search. A record past its time is never shown, whether swept or not. What the sweep frees is used again; the file
// shrinks when it is opened and more than half of it is of no use.
//
// Where teaching ends: one process, one disk. Copy the file while the provider is stopped. Who wants replicas, or to outlive
// the machine, needs another engine.
package bolt
