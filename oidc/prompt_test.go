package oidc_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hush-idp/hush/oidc"
)

func TestParsePrompts(t *testing.T) {
	for _, row := range []struct {
		name, wire string
		want       oidc.Prompts // nil together with err: refused
		err        oidc.ErrorCode
	}{
		{name: "Core §3.1.2.1 none", wire: "none", want: oidc.Prompts{oidc.PromptNone}},
		{name: "Core §3.1.2.1 login", wire: "login", want: oidc.Prompts{oidc.PromptLogin}},
		{name: "Core §3.1.2.1 consent", wire: "consent", want: oidc.Prompts{oidc.PromptConsent}},
		{name: "Core §3.1.2.1 select_account", wire: "select_account", want: oidc.Prompts{oidc.PromptSelectAccount}},
		{
			name: "Core §3.1.2.1 several, separated by spaces", wire: "login consent",
			want: oidc.Prompts{oidc.PromptLogin, oidc.PromptConsent},
		},
		{name: "no prompt", wire: ""},
		{name: "Core §3.1.2.1 none with login", wire: "none login", err: oidc.InvalidRequest},
		{name: "Core §3.1.2.1 none after consent", wire: "consent none", err: oidc.InvalidRequest},
		{name: "Core §3.1.2.1 an unknown value", wire: "dance", err: oidc.InvalidRequest},
		{name: "Core §3.1.2.1 an unknown value beside a known one", wire: "login dance", err: oidc.InvalidRequest},
		{name: "Core §3.1.2.1 values are case-sensitive", wire: "None", err: oidc.InvalidRequest},
		{name: "Core §3.1.2.1 a comma separates nothing", wire: "login,consent", err: oidc.InvalidRequest},
	} {
		t.Run(row.name, func(t *testing.T) {
			got, err := oidc.ParsePrompts(row.wire)
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Errorf("ParsePrompts(%q) (-want +got):\n%s", row.wire, diff)
			}
			if (err == nil) != (row.err == "") || err != nil && oidc.AsError(err).Code != row.err {
				t.Errorf("ParsePrompts(%q) = %v; want the error %q", row.wire, err, row.err)
			}
		})
	}
}

func TestPromptsHas(t *testing.T) {
	prompts := oidc.Prompts{oidc.PromptLogin, oidc.PromptConsent}
	if !prompts.Has(oidc.PromptConsent) || prompts.Has(oidc.PromptNone) || oidc.Prompts(nil).Has(oidc.PromptLogin) {
		t.Errorf("Has is wrong about %v", prompts)
	}
}
