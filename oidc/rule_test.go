package oidc_test

import (
	"strings"
	"testing"

	"github.com/hush-idp/hush/oidc"
)

var lengths = oidc.Table[string]{
	{
		Spec: "Example §1", Text: "the text is present", Else: oidc.InvalidRequest,
		Holds: func(s string) bool { return s != "" },
	},
	{
		Spec: "Example §2", Text: "the text is short", Else: oidc.InvalidScope, Reason: oidc.RequestMalformed,
		Holds: func(s string) bool { return len(s) < 5 }, Got: func(s string) string { return s }, Help: "write less",
	},
}

func TestTheFirstBrokenRuleIsTheError(t *testing.T) {
	for subject, want := range map[string]string{
		"":          "invalid_request: expected: the text is present (Example section 1)",
		"much text": "invalid_scope: expected: the text is short (Example section 2); got much text; write less",
		"good":      "",
	} {
		err := lengths.Judge(t.Context(), subject)
		if want == "" && err == nil {
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", subject, err, want)
		}
	}
}

func TestTheObserverHearsEachRuleUpToTheFirstBreach(t *testing.T) {
	var heard []oidc.Judgment
	ctx := oidc.ObserveRules(t.Context(), func(j oidc.Judgment) { heard = append(heard, j) })
	_ = lengths.Judge(ctx, "")
	_ = lengths.Judge(ctx, "much text")
	if len(heard) != 3 || heard[0].Holds || !heard[1].Holds || heard[2].Holds ||
		heard[2].Rule.Requirement().Reason != oidc.RequestMalformed {
		t.Errorf("heard %+v", heard)
	}
}
