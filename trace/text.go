package trace

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// participant is a lane by the names of Mermaid.
type participant struct {
	lane        Lane
	name, title string
}

// lanes are the participants of a diagram, from left to right.
var lanes = []participant{
	{LaneApp, "App", "App"}, {LaneIframe, "Frame", "Hidden iframe"}, {LaneBrowser, "Browser", "Browser"},
	{LaneProvider, "Provider", "Provider"}, {LaneAPI, "API", "API"},
}

// arrows are how Mermaid draws a message, to the right and to the left:
// https://mermaid.js.org/syntax/sequenceDiagram.html
var arrows = map[MessageState][2]string{
	MessageDone:    {"->>", "-->>"},
	MessageFailed:  {"-x", "--x"},
	MessageWaiting: {"-)", "--)"},
	MessageUnseen:  {"-)", "--)"},
}

// remarks follow the text of a message.
var remarks = map[MessageState]string{MessageWaiting: " (not yet)", MessageUnseen: " (inferred)"}

// Mermaid is the flow as a sequence diagram in the language of Mermaid.
func (f Flow) Mermaid() string {
	var b strings.Builder
	b.WriteString("sequenceDiagram\n")
	for _, l := range lanes {
		if slices.ContainsFunc(f.Messages, func(m Message) bool { return m.From == l.lane || m.To == l.lane }) {
			fmt.Fprintf(&b, "    participant %s as %s\n", l.name, l.title)
		}
	}
	for _, m := range f.Messages {
		from, to := position(m.From), position(m.To)
		arrow := arrows[m.State][0]
		if to < from {
			arrow = arrows[m.State][1]
		}
		text := entities.Replace(caption(m)) + remarks[m.State]
		fmt.Fprintf(&b, "    %s%s%s: %s\n", lanes[from].name, arrow, lanes[to].name, text)
		left, right := lanes[min(from, to)].name, lanes[max(from, to)].name
		for _, note := range notes(m) {
			fmt.Fprintf(&b, "    Note over %s,%s: %s\n", left, right, entities.Replace(note))
		}
	}
	return b.String()
}

// notes are what stands beside an arrow: the reason, and the faults that changed the answer.
func notes(m Message) (all []string) {
	if m.Reason != "" {
		all = append(all, m.Reason)
	}
	for _, fault := range m.Faults {
		all = append(all, "failure lab: "+fault)
	}
	return all
}

func position(lane Lane) int {
	return slices.IndexFunc(lanes, func(p participant) bool { return p.lane == lane })
}

// caption is the text of a message with the number of its step.
func caption(m Message) string {
	if m.Step == 0 {
		return m.Text
	}
	return fmt.Sprintf("(%d) %s", m.Step, m.Text)
}

// entities replaces characters that have a meaning in Mermaid.
var entities = strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#lt;", ">", "#gt;", "\n", " ", "\r", " ")

// outcomes stand before a step.
var outcomes = map[Outcome]string{OK: "passed", Failed: "failed", Noted: "noted"}

// Transcript is the flow in plain text: each message with its number, and for each request and answer the parameters
// and steps. It has no times and no ids, and of a secret only the length, so that equal flows have equal transcripts.
func (f Flow) Transcript() string {
	t := &transcript{records: map[string]*Record{}, shown: map[string]bool{}}
	for i := range f.Records {
		t.records[f.Records[i].ID] = &f.Records[i]
	}
	for _, m := range f.Messages {
		t.message(m)
	}
	for _, reasoned := range f.Reasons {
		t.line(0, "reason %s: %s", reasoned.Code, reasoned.Text)
	}
	return t.String()
}

// transcript grows line by line.
type transcript struct {
	strings.Builder
	records map[string]*Record
	shown   map[string]bool // records whose request is written
}

func (t *transcript) line(indent int, format string, values ...any) {
	line := strings.TrimRight(fmt.Sprintf(format, values...), " ")
	t.WriteString(strings.Repeat("    ", indent) + strings.Map(printable, line) + "\n")
}

// printable replaces control characters, so that text of a client makes no line of its own.
func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}

// message writes one arrow, after the first of a record its request, after the second its steps and answer.
func (t *transcript) message(m Message) {
	t.line(0, "%s -> %s: %s%s", m.From, m.To, caption(m), remarks[m.State])
	r := t.records[m.Record]
	if r == nil {
		return
	}
	if t.shown[m.Record] {
		t.answer(r)
	} else {
		t.request(r)
	}
	t.shown[m.Record] = true
}

func (t *transcript) request(r *Record) {
	fetch := []string{r.Fetch.Site, r.Fetch.Mode, r.Fetch.Dest, r.Fetch.StorageAccess}
	fetch = slices.DeleteFunc(fetch, func(s string) bool { return s == "" })
	if len(fetch) > 0 {
		t.line(1, "Sec-Fetch: %s", strings.Join(fetch, ", "))
	}
	t.values(1, r.Params)
	t.cookies(r, map[string]string{"sent": "sent", "overlooked": "overlooked", "withheld": "did not come"})
}

func (t *transcript) answer(r *Record) {
	for _, step := range r.Steps {
		reason := bracketed(" [", step.Reason, "]")
		t.line(1, "%s: %s%s%s", outcomes[step.Outcome], strings.TrimSuffix(step.Text, reason),
			bracketed(" (", step.Spec, ")"), reason)
		t.values(2, step.Values)
	}
	t.cookies(r, map[string]string{"set": "set", "removed": "removed"})
	if r.Location != "" {
		t.line(1, "Location: %s", r.Location)
	}
	t.values(1, r.Answer)
}

// cookies writes the cookies with these directions.
func (t *transcript) cookies(r *Record, directions map[string]string) {
	for _, c := range r.Cookies {
		if text, ok := directions[c.Direction]; ok {
			t.line(1, "cookie %s: %s", c.Name, text)
		}
	}
}

func bracketed(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
}

func (t *transcript) values(indent int, values []Value) {
	for _, v := range values {
		t.line(indent, "%s = %s", v.Name, lasting(v))
	}
}

// lasting is the part of a value that is the same in equal flows: of a secret its length, of a JWT the names in it.
func lasting(v Value) string {
	if v.Decoded != "" {
		return parts(v.Decoded)
	}
	if _, length, masked := strings.Cut(v.Text, "… ("); masked && strings.HasSuffix(length, " characters)") {
		return "(" + length
	}
	return v.Text
}

// parts is the sorted names of the claims in a JWT.
func parts(d Decoded) string {
	var decoded struct{ Header, Claims map[string]any }
	if text, err := d.MarshalJSON(); err != nil || json.Unmarshal(text, &decoded) != nil {
		return "(a JWT that cannot be read)"
	}
	names := strings.Join(slices.Sorted(maps.Keys(decoded.Claims)), ", ")
	return fmt.Sprintf("JWT: %v, %v; %s", decoded.Header["typ"], decoded.Header["alg"], names)
}
