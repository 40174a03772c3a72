package pages_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/static"
)

func TestCodeStandsBetweenBackticks(t *testing.T) {
	p, err := pages.New(static.IDP())
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"":                 "",
		"words":            "words",
		"`max_age`":        "<code>max_age</code>",
		"send `a=b`, then": "send <code>a=b</code>, then",
		"`a` `b`":          "<code>a</code> <code>b</code>",
		"<i> `<b>`":        "&lt;i&gt; <code>&lt;b&gt;</code>",
	} {
		w := httptest.NewRecorder()
		page := pages.Reason{Text: pages.ReasonText{Happened: text}}
		if err := p.Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(w.Body.String(), `id="happened">`+want+"</p>") {
			t.Errorf("the page does not show %q as %s:\n%s", text, want, w.Body)
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
		Frame: pages.Frame{Title: "T"},
		Text: pages.ReasonText{
			Code: "session.none", Title: "the summary", Happened: "a `<b>`", HowWeKnow: "we know", HowSure: "how sure",
			WhatToDo: "to do", Spec: []pages.Link{{Text: "RFC 1", URL: "https://example.com/1"}},
		},
	}
	if err := p.Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
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
		{Title: "One", Lead: "of `one`", Reasons: []pages.ReasonText{{Code: "session.none", Title: "nobody"}}},
		{Title: "Two", Reasons: []pages.ReasonText{{Code: "code.replayed", Title: "twice"}}},
	}}
	if err := p.Render(w, http.StatusOK, page, pages.Policy{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`href="/reasons/session.none"`, `href="/reasons/code.replayed"`, "of <code>one</code>",
		"nobody", "twice", "</html>"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page does not show %s:\n%s", want, w.Body)
		}
	}
}
