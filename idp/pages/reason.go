package pages

import "strings"

// The pages about reason codes, with texts of package reasons.
type (
	// Reason explains one reason code.
	Reason struct {
		Frame
		Code                                   string
		Summary                                string // a short sentence without a full stop
		Happened, HowWeKnow, HowSure, WhatToDo Text
		Spec                                   []Link
	}
	// Reasons lists all of them.
	Reasons struct {
		Frame
		Groups []ReasonGroup
	}
)

// ReasonGroup is the reasons of one subject.
type ReasonGroup struct {
	Title   string
	Lead    Text
	Reasons []ReasonLink
}

// ReasonLink leads from the list to the page of one reason.
type ReasonLink struct{ Code, Summary string }

// Link is a hyperlink.
type Link struct{ Text, URL string }

// Text is a paragraph in which code stands between backticks, as in Markdown.
type Text string

// Span is a piece of a Text, all code or none of it.
type Span struct {
	Text string
	Code bool
}

// Spans are the pieces, in order and without the backticks.
func (t Text) Spans() []Span {
	var spans []Span
	for i, piece := range strings.Split(string(t), "`") {
		if piece != "" {
			spans = append(spans, Span{Text: piece, Code: i%2 == 1})
		}
	}
	return spans
}
