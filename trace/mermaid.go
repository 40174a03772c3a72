package trace

import (
	"fmt"
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
	{LaneApp, "App", "App"},
	{LaneIframe, "Frame", "Hidden iframe"},
	{LaneBrowser, "Browser", "Browser"},
	{LaneProvider, "Provider", "Provider"},
	{LaneAPI, "API", "API"},
}

// arrows are how Mermaid draws a message, to the right and to the left:
// https://mermaid.js.org/syntax/sequenceDiagram.html
var arrows = map[MessageState][2]string{
	MessageDone:    {"->>", "-->>"},
	MessageFailed:  {"-x", "--x"},
	MessageWaiting: {"-)", "--)"},
	MessageUnseen:  {"-)", "--)"},
}

// remarks say in words what an arrow alone does not.
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
		fmt.Fprintf(&b, "    %s%s%s: %s%s\n", lanes[from].name, arrow, lanes[to].name, plain(caption(m)), remarks[m.State])
		if m.Reason != "" {
			fmt.Fprintf(&b, "    Note over %s,%s: %s\n", lanes[min(from, to)].name, lanes[max(from, to)].name, plain(m.Reason))
		}
	}
	return b.String()
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

// entities are the characters that end a line of Mermaid, or begin something in it.
var entities = strings.NewReplacer("#", "#35;", ";", "#59;", "<", "#lt;", ">", "#gt;", "\n", " ", "\r", " ")

func plain(text string) string { return entities.Replace(text) }
