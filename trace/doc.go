// Package trace records the checks and decisions of the provider in each request, and collects the requests of one
// renewal into a Flow.
//
//	a request ── Begin ──► Recorder, in the context
//	                          │ Emit: a Step for each check, decision and action
//	                          │ Set:  the request, and its answer
//	                          │ Join: the state, code and jti that later requests of the flow contain
//	                          ▼
//	                         End ──► Hub: find the flow, or begin one ── diagnose ──► Reasons
//	                                  │                                     ▲
//	                                  ├── Watch ──► Watcher: events         └── a timer: the code was not redeemed
//	                                  └── Flows ──► Flow: Messages, Mermaid, Transcript
//
// Emit never waits for a watcher: a watcher whose buffer is full is dropped. A Value masks its secret when it is made;
// only a checksum of the values that join requests is stored. The numbers of flows, records, steps and characters are
// limited.
//
// Without a Hub, Emit costs one lookup in the context. With a Hub, a request costs a few kilobytes, and each step
// reads the clock; messages and JSON are made when a flow is read.
//
// The trace is for development: it stores claims of users in memory. It has the requests of its own process only.
package trace
