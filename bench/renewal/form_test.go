package renewal

import (
	"strings"
	"testing"
)

func TestTheFormThatAsksForAPasswordIsFilled(t *testing.T) {
	const (
		language = `<form action="/language"><input type="hidden" name="to" value="de"></form>`
		password = `<form action="/login"><input type="hidden" name="csrf" value="c"><input name="username">
			<input type="password" name="password"><input type="checkbox" name="remember" value="1"></form>`
		consent = `<form action="/consent"><input type="hidden" name="prompt" value="consent"><button>Yes</button></form>`
	)
	for _, test := range []struct{ name, page, action, fields string }{
		{"the password's form is the second", language + password, "/login", "csrf=c&password=secret&username=alice"},
		{"the only form asks for consent", consent, "/consent", "prompt=consent"},
	} {
		t.Run(test.name, func(t *testing.T) {
			action, fields, err := filled(strings.NewReader(test.page), "alice", "secret")
			if err != nil || action != test.action || fields.Encode() != test.fields {
				t.Errorf("%q is sent to %q (%v), expected %q to %q", fields.Encode(), action, err, test.fields, test.action)
			}
		})
	}
	if _, _, err := filled(strings.NewReader("<p>no form</p>"), "alice", "secret"); err == nil {
		t.Error("a page without a form is no error")
	}
}
