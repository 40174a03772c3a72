package trace

import (
	"cmp"
	"slices"
	"time"
)

// Summary is a Flow without its content, as a list of flows has it.
type Summary struct {
	ID       string        `json:"id"`
	ClientID string        `json:"client_id,omitempty"`
	Issuer   string        `json:"issuer"`
	Silent   bool          `json:"silent"` // prompt=none
	State    FlowState     `json:"state"`
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`    // in nanoseconds, from the first request to the last answer
	Reasons  []Reasoned    `json:"reasons"` // the warnings last, else in the order in which they were found
	Begins   string        `json:"begins"`  // the endpoint of the first request
	// GrantType is that of the first request, if it was sent to the token endpoint.
	GrantType string `json:"grant_type,omitempty"`
	// Faults are the faults of the failure lab that changed an answer, each once, in the order in which they happened.
	Faults []string `json:"faults,omitempty"`
	// Steps says how far each of the four steps of a renewal came: failed, waiting, done, or empty.
	Steps [4]MessageState `json:"steps"`
}

// Flow is the records of one renewal or one sign-in, from the authorization request to the API call. Requests that
// belong to none, such as a logout, are flows of their own.
type Flow struct {
	Summary
	Messages []Message `json:"messages"`
	Records  []Record  `json:"records,omitempty"` // by the time of the request
}

// FlowState says how far a Flow has come.
type FlowState string

// The states: a flow is open until tokens were issued, or something failed.
const (
	FlowOpen   FlowState = "open"
	FlowDone   FlowState = "done"
	FlowFailed FlowState = "failed"
)

// Reasoned is one reason of a failure, or of a failure that is likely soon.
type Reasoned struct {
	Code string    `json:"code"` // of docs/reasons.md
	Text string    `json:"text"`
	At   time.Time `json:"at"`
	// Warning is a reason that stops no request itself. If the flow failed, another reason says why.
	Warning bool `json:"warning,omitempty"`
}

// Message is one arrow of the sequence diagram.
type Message struct {
	Step   int           `json:"step"` // 1 to 4 of a renewal; 0 for others, such as sign-in pages
	From   Lane          `json:"from"`
	To     Lane          `json:"to"`
	Text   string        `json:"text"`
	State  MessageState  `json:"state"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took,omitempty"`   // of an answer, in nanoseconds since its request
	Record string        `json:"record,omitempty"` // the id of its record
	Reason string        `json:"reason,omitempty"`
	Faults []string      `json:"faults,omitempty"` // of the failure lab, that changed this answer
	Page   bool          `json:"page,omitempty"`   // the answer of /authorize is a page, and no redirect
}

// Lane is the sender or the receiver of a Message.
type Lane string

// The lanes of the diagram. LaneBrowser replaces LaneIframe when a user sees the page.
const (
	LaneApp      Lane = "app"
	LaneIframe   Lane = "iframe"
	LaneBrowser  Lane = "browser"
	LaneProvider Lane = "provider"
	LaneAPI      Lane = "api"
)

// MessageState says whether a Message was seen, is inferred, or should come next.
type MessageState string

// The states. A waiting message should come next; the provider infers an unseen message.
const (
	MessageDone    MessageState = "done"
	MessageFailed  MessageState = "failed"
	MessageWaiting MessageState = "waiting"
	MessageUnseen  MessageState = "unseen"
)

// note is a Reasoned of a flow that grows.
type note struct {
	code string
	why  finding
	at   time.Time
}

// flow is a Flow while it grows. Hub.mu guards it.
type flow struct {
	Flow
	records   []*Record
	notes     []note
	keys      []join
	authorize bool        // it began at the authorization endpoint
	awaiting  *Record     // the authorize record whose code was not redeemed yet
	timer     *time.Timer // of awaiting
}

// add appends the record and updates the flow's fields.
func (f *flow) add(record *Record) {
	if len(f.records) == 0 {
		f.authorize, f.Silent = record.Fresh(), record.Silent
	}
	if len(f.records) == maxRecords {
		f.records = slices.Delete(f.records, 1, 2) // the first stays, because it shows the beginning
	}
	f.records = append(f.records, record)
	record.FlowID = f.ID
	f.ClientID = cmp.Or(f.ClientID, record.ClientID)
	f.Issuer = cmp.Or(f.Issuer, record.Issuer)
	f.Took = max(f.Took, record.end().Sub(f.At))
	f.State = f.next(record)
}

// retries reports whether the browser was told to send the last request again.
func (f *flow) retries() bool { return f.records[len(f.records)-1].Asks == AsksRetry }

// next is the state of the flow after the record.
func (f *flow) next(r *Record) FlowState {
	switch {
	case f.authorize && r.forPerson():
		return f.State // a user may try again after a wrong password
	case r.failed(), r.lost():
		return FlowFailed
	case r.Preflight():
		return f.State
	case r.Endpoint == "token", !f.authorize:
		return FlowDone
	}
	return f.State
}

// await starts a timer of Hub.quiet for the token request that must follow a code.
func (h *Hub) await(f *flow, r *Record) {
	switch {
	case r.Answered() && has(r.Answer, "code"):
		f.stopTimer()
		f.awaiting = r
		f.timer = time.AfterFunc(h.quiet, func() { h.giveUp(f, r) })
	case r.Endpoint == "token" && !r.Preflight():
		f.stopTimer()
		f.withdraw(callbackSilent)
	}
}

// stopTimer stops waiting for a token request.
func (f *flow) stopTimer() {
	f.awaiting = nil
	if f.timer != nil {
		f.timer.Stop()
		f.timer = nil
	}
}

// giveUp adds a reason if the code of r is still not redeemed.
func (h *Hub) giveUp(f *flow, r *Record) {
	h.mu.Lock()
	if f.awaiting == r {
		f.stopTimer()
		f.note(r, callbackSilent, found(f.silence(h.quiet)), r.end().Add(h.quiet))
		f.State = FlowFailed
		h.notice(f, r)
	}
	h.mu.Unlock()
	h.send()
}

// snapshot is a copy of the flow that needs no Hub.mu: steps and values of ended records never change.
func (f *flow) snapshot() Flow {
	s := f.Flow
	s.Reasons = make([]Reasoned, len(f.notes))
	for i, n := range f.notes {
		s.Reasons[i] = Reasoned{n.code, n.why(), n.at, slices.Contains(warnings, n.code)}
	}
	slices.SortStableFunc(s.Reasons, func(a, b Reasoned) int { return rank(a) - rank(b) })
	s.Records = make([]Record, len(f.records))
	for i, r := range f.records {
		s.Records[i] = r.whole()
	}
	return s
}

// rank orders the reasons of a flow: a reader looks first for what stopped it.
func rank(r Reasoned) int {
	if r.Warning {
		return 1
	}
	return 0
}

// drawn is a snapshot with its messages.
func (f Flow) drawn() Flow {
	slices.SortStableFunc(f.Records, func(a, b Record) int { return a.At.Compare(b.At) })
	f.Messages = draw(f)
	first := &f.Records[0]
	f.Begins, f.Steps, f.Faults = first.Endpoint, stepsOf(f.Messages), faultsOf(f.Messages)
	if f.Begins == "token" {
		f.GrantType = valueOf(first.Params, "grant_type").Text
	}
	return f
}

// stepsOf finds the worst state of each step. Messages after a failed step are about the failure, and count for none.
func stepsOf(messages []Message) (steps [4]MessageState) {
	for _, state := range []MessageState{MessageDone, MessageWaiting, MessageFailed} {
		for _, m := range messages {
			if m.State == state && m.Step > 0 {
				steps[m.Step-1] = state
			}
		}
	}
	if failed := slices.Index(steps[:], MessageFailed); failed >= 0 {
		clear(steps[failed+1:])
	}
	return steps
}

func faultsOf(messages []Message) (faults []string) {
	for _, m := range messages {
		for _, fault := range m.Faults {
			if !slices.Contains(faults, fault) {
				faults = append(faults, fault)
			}
		}
	}
	return faults
}
