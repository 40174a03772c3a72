// Package replica is the link between the consoles of providers that share one store: what happens at one is seen at all.
//
//	hub ── Tell ──► queue ── seal ──► storage.Bus ──► open ── Hear ──► the other replica's hub
//	lab, clients ── Changed ──┘                         └── Changed ──► it reads its views again
//
//	link.go       what is told, and what is heard
//	seal.go       so that nobody else can read or say it
//	direction.go  whether it works
//
// Nobody waits for the link: where the queue is full the oldest is not told, and while the store is away nothing is. A console that missed something
// is without it; what has to be right in spite of that, clients and faults, are records of the store, read again each second in any case.
//
// What travels is as private as what the console shows: names of users, claims, addresses. Therefore it is sealed with a key made from the
// cookie keys, which all replicas have in common, and which whoever reads the bus does not have. What they know of is how much
// happens, and when.
//
// Where teaching ends: development mode only. A message that is said again, by somebody who can write to the bus, is heard again.
package replica
