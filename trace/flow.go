package trace

import "time"

// Flow is the records of one renewal or one sign-in, from the authorization request to the API call. Requests that
// belong to none, such as a logout, are flows of their own.
type Flow struct {
	ID       string        `json:"id"`
	ClientID string        `json:"client_id,omitempty"`
	Issuer   string        `json:"issuer"`
	Silent   bool          `json:"silent"` // prompt=none
	State    FlowState     `json:"state"`
	At       time.Time     `json:"at"`
	Took     time.Duration `json:"took"`    // in nanoseconds, from the first request to the last answer
	Reasons  []Reasoned    `json:"reasons"` // in the order in which they were found
	Messages []Message     `json:"messages"`
	Records  []Record      `json:"records,omitempty"` // by the time of the request
}

// FlowState says how far a Flow has come.
type FlowState string

// The states: a flow is open until tokens were issued, or something failed.
const (
	FlowOpen   FlowState = "open"
	FlowDone   FlowState = "done"
	FlowFailed FlowState = "failed"
)

// Reasoned is one reason for what went wrong, or soon will.
type Reasoned struct {
	Code string    `json:"code"` // of docs/reasons.md
	Text string    `json:"text"`
	At   time.Time `json:"at"`
}

// Message is one arrow of the sequence diagram.
type Message struct {
	Step   int           `json:"step"` // 1 to 4 of a renewal; 0 for what is around it, such as the sign-in pages
	From   Lane          `json:"from"`
	To     Lane          `json:"to"`
	Text   string        `json:"text"`
	State  MessageState  `json:"state"`
	At     time.Time     `json:"at"`
	Took   time.Duration `json:"took,omitempty"`   // of an answer, in nanoseconds since its request
	Record string        `json:"record,omitempty"` // the id of the record that it opens to
	Reason string        `json:"reason,omitempty"`
}

// Lane is who sends or receives a Message.
type Lane string

// The lanes of the diagram. LaneBrowser stands where LaneIframe does when a person sees the page.
const (
	LaneApp      Lane = "app"
	LaneIframe   Lane = "iframe"
	LaneBrowser  Lane = "browser"
	LaneProvider Lane = "provider"
	LaneAPI      Lane = "api"
)

// MessageState says what is known of a Message.
type MessageState string

// The states. Waiting is what should come next; unseen is what the provider cannot see, and infers.
const (
	MessageDone    MessageState = "done"
	MessageFailed  MessageState = "failed"
	MessageWaiting MessageState = "waiting"
	MessageUnseen  MessageState = "unseen"
)
