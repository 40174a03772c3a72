package oidc

import (
	"fmt"
	"slices"
	"strings"
)

// Prompt is one value of the prompt parameter (Core §3.1.2.1).
type Prompt string

// The values of prompt.
const (
	PromptNone          Prompt = "none"           // show no page; answer with a code or an error
	PromptLogin         Prompt = "login"          // ask for the user's credentials again
	PromptConsent       Prompt = "consent"        // ask for consent again
	PromptSelectAccount Prompt = "select_account" // let the user choose among accounts
)

// Prompts is the set of values that one request gave.
type Prompts []Prompt

// ParsePrompts reads the wire form, values separated by spaces. An unknown value, or none beside another value ("If this
// parameter contains none with any other value, an error is returned"), is an invalid_request.
func ParsePrompts(wire string) (Prompts, error) {
	var prompts Prompts
	for _, value := range strings.Fields(wire) {
		prompt := Prompt(value)
		if !slices.Contains(KnownPrompts(), prompt) {
			return nil, InvalidRequest.Errorf("prompt %q is not known; known are: %s", value, known())
		}
		prompts = append(prompts, prompt)
	}
	if prompts.Has(PromptNone) && len(prompts) > 1 {
		return nil, InvalidRequest.Errorf("prompt=none stands alone, but came as %q: drop none to allow a page, or drop the rest", wire)
	}
	return prompts, nil
}

// Has tells whether prompt is among them.
func (p Prompts) Has(prompt Prompt) bool { return slices.Contains(p, prompt) }

// KnownPrompts lists the values that this provider obeys.
func KnownPrompts() []Prompt {
	return []Prompt{PromptNone, PromptLogin, PromptConsent, PromptSelectAccount}
}

func known() string { return strings.Trim(fmt.Sprint(KnownPrompts()), "[]") }
