package reasons

import (
	"fmt"
	"strings"
)

const intro = `# Reason codes

<!-- Generated from idp/dev/reasons: edit there, then run go test ./idp/dev/reasons -update -->

An OAuth error code says what an app may do next. It does not say what went wrong: ` + "`login_required`" + ` has a dozen causes. So every failure here
also has a reason, a code that stays the same from version to version.

In development mode ` + "`error_description`" + ` ends with it, as in ` + "`… [session.none]`, and `error_uri`" + ` leads to its explanation at the provider,
` + "`/reasons/session.none`" + `. The console and ` + "`GET /console/flows`" + ` show it with the checks that led to it. Production tells the outside neither.

`

// Markdown is docs/reasons.md.
func Markdown() string {
	var text strings.Builder
	text.WriteString(intro)
	for _, group := range Groups() {
		for _, reason := range group.Reasons {
			fmt.Fprintf(&text, "- [`%s`](#%s): %s\n", reason.Code, anchor(string(reason.Code)), reason.Title)
		}
	}
	for _, group := range Groups() {
		fmt.Fprintf(&text, "\n## %s\n\n%s\n", group.Title, group.Lead)
		for _, reason := range group.Reasons {
			text.WriteString(reason.markdown())
		}
	}
	return text.String()
}

func (r Reason) markdown() string {
	var text strings.Builder
	fmt.Fprintf(&text, "\n### `%s`\n\n%s.\n", r.Code, r.Title)
	for _, paragraph := range []struct{ label, text string }{
		{"What happened", r.Happened}, {"How we know", r.HowWeKnow}, {"How sure", r.HowSure}, {"What to do", r.WhatToDo},
	} {
		fmt.Fprintf(&text, "\n**%s.** %s\n", paragraph.label, paragraph.text)
	}
	if len(r.Spec) > 0 {
		links := make([]string, len(r.Spec))
		for i, link := range r.Spec {
			links[i] = fmt.Sprintf("[%s](%s)", link.Text, link.URL)
		}
		fmt.Fprintf(&text, "\nSee %s.\n", strings.Join(links, ", "))
	}
	return text.String()
}

// anchor is the name that renderers of Markdown give a heading of code: lower case, without its dots.
func anchor(heading string) string { return strings.ReplaceAll(strings.ToLower(heading), ".", "") }
