// Package trace is the glass box: what the provider checked and decided in each request, told live to whoever watches,
// and the requests of one renewal put together again.
//
//	a request ── Begin ──► Recorder, in the context
//	                          │ Emit: a Step each time something was checked, decided or done
//	                          │ Set:  what the request was, what the answer is
//	                          │ Join: by state, code, jti it will be recognised
//	                          ▼
//	                         End ──► Hub: find the flow, or begin one ── diagnose ──► Reasons
//	                                  │                                     ▲
//	                                  ├── Watch ──► Watcher: events         └── a timer: nobody redeemed the code
//	                                  └── Flows ──► Flow: Messages, Mermaid, Transcript
//
//	trace.go                        the words: Step, Record, Cookie, Fetch
//	recorder.go                     one request while it is answered
//	record.go                       what a finished record is, as far as flows are concerned
//	hub.go assemble.go              which record belongs to which flow; what is kept
//	diagnose.go burst.go            the reasons that only show when several requests are seen together
//	watch.go                        who watches, and who is too slow
//	flow.go messages.go words.go    the flow as arrows of a sequence diagram, those too that the provider cannot see
//	mermaid.go transcript.go        the same as text
//	mask.go                         what may be shown of a value
//
// Nobody who emits waits for anybody who watches: an event that a watcher has no room for ends the watching. No secret
// comes in whole: it is masked where the Value is made, and of the values that join only a sum is kept. All is bounded:
// so many flows, so many records of a flow, so many steps of a record, so many characters of a text.
//
// What it costs: without a Hub, one look into the context at each Emit. With a Hub that nobody watches, one allocation
// of a few kilobytes a request, and a clock reading at each step; nothing is sorted into messages or encoded before
// somebody asks.
//
// Where teaching ends: the trace is for development. It keeps claims of users in memory. It holds the requests of its
// own process only: of a flow that several replicas served, each has the requests that it answered.
package trace
