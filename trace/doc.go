// Package trace records what the provider checked and decided in each request, sends it live to watchers, and puts the
// requests of one renewal together.
//
//	a request ── Begin ──► Recorder, in the context
//	                          │ Emit: a Step each time something was checked, decided or done
//	                          │ Set:  what the request was, what the answer is
//	                          │ Join: by state, code, jti it will be recognised
//	                          ▼
//	                         End ──► Hub: find the flow, or begin one ── diagnose ──► Reasons
//	                                  │                                     ▲
//	                                  ├── Watch ──► Watcher: events         └── a timer: the code was not redeemed
//	                                  └── Flows ──► Flow: Messages, Mermaid, Transcript
//
//	trace.go                        the words: Step, Record, Cookie, Fetch
//	recorder.go                     one request while it is answered
//	record.go                       what a finished record is, as far as flows are concerned
//	hub.go flow.go                  which record belongs to which flow; what is dropped
//	diagnose.go                     the reasons that only several requests together show
//	watch.go                        watchers, and the end of a slow one
//	messages.go                     the flow as arrows of a sequence diagram, including inferred ones
//	text.go                         the same as text
//	mask.go                         what may be shown of a value
//
// Emit never waits for a watcher: a watcher whose buffer is full is dropped. Secrets are masked where a Value is made,
// and of the values that join requests only a sum is stored. Flows, records of a flow, steps of a record, and
// characters of a text are limited.
//
// Without a Hub, Emit costs one look into the context. With a Hub without watchers, a request costs one allocation of a
// few kilobytes, and each step a clock reading; messages and JSON are made when a flow is read.
//
// Where teaching ends: the trace is for development. It keeps claims of users in memory. It holds the requests of its
// own process only: of a flow that several replicas served, each has the requests that it answered.
package trace
