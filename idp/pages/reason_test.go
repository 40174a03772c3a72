package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/static"
)

func TestSpans(t *testing.T) {
	for _, row := range []struct {
		text pages.Text
		want []pages.Span
	}{
		{"", nil},
		{"words", []pages.Span{{Text: "words"}}},
		{"`max_age`", []pages.Span{{Text: "max_age", Code: true}}},
		{"send `a=b`, then", []pages.Span{{Text: "send "}, {Text: "a=b", Code: true}, {Text: ", then"}}},
		{"`a` `b`", []pages.Span{{Text: "a", Code: true}, {Text: " "}, {Text: "b", Code: true}}},
	} {
		if diff := cmp.Diff(row.want, row.text.Spans()); diff != "" {
			t.Errorf("the spans of %q (-want +got):\n%s", row.text, diff)
		}
	}
}

func TestTheReasonPageShowsEachPart(t *testing.T) {
	p, err := pages.New(static.IDP())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page := pages.Reason{
		Frame: pages.Frame{Title: "T"}, Code: "session.none", Summary: "the summary", Happened: "a `<b>`",
		HowWeKnow: "we know", HowSure: "how sure",
		WhatToDo: "to do", Spec: []pages.Link{{Text: "RFC 1", URL: "https://example.com/1"}},
	}
	if err := p.Render(w, http.StatusOK, "reason", page, pages.Policy{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"session.none", "the summary", "a <code>&lt;b&gt;</code>", "we know", "how sure", "to do",
		`href="https://example.com/1"`, "</html>",
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not show %s:\n%s", want, w.Body)
		}
	}
}

func TestTheListOfReasonsLeadsToEach(t *testing.T) {
	p, err := pages.New(static.IDP())
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	page := pages.Reasons{Frame: pages.Frame{Title: "T"}, Groups: []pages.ReasonGroup{
		{Title: "One", Lead: "of `one`", Reasons: []pages.ReasonLink{{Code: "session.none", Summary: "nobody"}}},
		{Title: "Two", Reasons: []pages.ReasonLink{{Code: "code.replayed", Summary: "twice"}}},
	}}
	if err := p.Render(w, http.StatusOK, "reasons", page, pages.Policy{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`href="/reasons/session.none"`, `href="/reasons/code.replayed"`, "of <code>one</code>",
		"nobody", "twice", "</html>"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not show %s:\n%s", want, w.Body)
		}
	}
}
