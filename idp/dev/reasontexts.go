package dev

import (
	"cmp"
	"embed"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/trace"
)

//go:embed reasons/*.md
var files embed.FS

//go:embed reasons/intro.txt
var intro string // the beginning of docs/reasons.md

// names are the files of files, in the order of docs/reasons.md.
var names = []string{"reasons/session.md", "reasons/request.md", "reasons/token.md", "reasons/several.md"}

// ReasonGroups returns all reasons, in the order of docs/reasons.md. The caller must not change them.
var ReasonGroups = sync.OnceValue(func() (groups []pages.ReasonGroup) {
	for _, name := range names {
		groups = append(groups, parse(read(name)))
	}
	return groups
})

// read returns the text of a file. It replaces {offsets} by the renewal offsets of libraries that package trace lists.
func read(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is embedded
	}
	return strings.ReplaceAll(string(text), "{offsets}", trace.RenewalOffsets(0))
}

// AllReasons returns the reasons of all groups.
func AllReasons() (all []pages.ReasonText) {
	for _, group := range ReasonGroups() {
		all = append(all, group.Reasons...)
	}
	return all
}

// ReasonByCode returns the explanation of code.
func ReasonByCode(code oidc.Reason) (pages.ReasonText, bool) {
	for _, reason := range AllReasons() {
		if reason.Code == code {
			return reason, true
		}
	}
	return pages.ReasonText{}, false
}

// link is a link of Markdown.
var link = regexp.MustCompile(`\[([^\]]*)\]\(([^)]*)\)`)

// parse reads one file: a heading and a lead, then the reasons. Each reason is a heading with its code and a paragraph
// for each of its fields. The tests report a paragraph that has no known label.
func parse(text string) pages.ReasonGroup {
	var group pages.ReasonGroup
	var reason *pages.ReasonText
	for paragraph := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if title, ok := strings.CutPrefix(paragraph, "## "); ok {
			group.Title = title
		} else if code, ok := strings.CutPrefix(paragraph, "### "); ok {
			group.Reasons = append(group.Reasons, pages.ReasonText{Code: oidc.Reason(strings.Trim(code, "`"))})
			reason = &group.Reasons[len(group.Reasons)-1]
		} else if reason == nil {
			group.Lead = paragraph
		} else {
			readParagraph(reason, paragraph)
		}
	}
	return group
}

// readParagraph reads one paragraph below the heading of a reason.
func readParagraph(r *pages.ReasonText, paragraph string) {
	for label, field := range map[string]*string{
		"**What happened.** ": &r.Happened, "**How we know.** ": &r.HowWeKnow,
		"**How sure.** ": &r.HowSure, "**What to do.** ": &r.WhatToDo,
	} {
		if text, ok := strings.CutPrefix(paragraph, label); ok {
			*field = text
			return
		}
	}
	if links, ok := strings.CutPrefix(paragraph, "See "); ok {
		for _, found := range link.FindAllStringSubmatch(links, -1) {
			r.Spec = append(r.Spec, pages.Link{Text: found[1], URL: found[2]})
		}
		return
	}
	r.Title = strings.TrimSuffix(paragraph, ".")
}

// ReasonsMarkdown returns docs/reasons.md.
func ReasonsMarkdown() string {
	var text strings.Builder
	text.WriteString(intro)
	for _, reason := range AllReasons() {
		anchor := strings.ReplaceAll(strings.ToLower(string(reason.Code)), ".", "") // as renderers of Markdown make it
		fmt.Fprintf(&text, "- [`%s`](#%s): %s\n", reason.Code, anchor, reason.Title)
	}
	for _, name := range names {
		text.WriteString("\n" + read(name))
	}
	return text.String()
}

// ClientYAML returns the lines of a configuration file that register the client as a public one with one redirect URI.
// An empty redirectURI becomes an example. Both values may come from any request: each is quoted as one YAML value.
// Every escape of a quoted Go string is one of YAML's (YAML 1.2 §5.7).
func ClientYAML(clientID, redirectURI string) string {
	redirectURI = cmp.Or(redirectURI, "http://localhost:5173/callback")
	after := ""
	for _, uri := range oidc.SignOutAddresses(redirectURI) {
		after += "\n      - " + strconv.QuoteToASCII(uri)
	}
	if after != "" {
		after = "\n    post_logout_redirect_uris:" + after
	}
	return `built_in: true                          # the built-in users and clients stay, beside those of this file
clients:
  - client_id: ` + strconv.QuoteToASCII(clientID) + `
    token_endpoint_auth_method: none    # a single-page or native app; a server has a client_secret instead
    redirect_uris:
      - ` + strconv.QuoteToASCII(redirectURI) + after + `
    first_party: true                   # its users are not asked for consent
`
}
