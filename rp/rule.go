package rp

import (
	"fmt"
	"strings"
)

// rule is one sentence of a specification about a token.
type rule[T any] struct {
	spec, text string
	breach     func(T) string // in words, how the token breaks the rule; "" when it does not
}

// judge returns the first breach, with the rule that it breaks, or "". It is made for an error_description, which is ASCII.
func judge[T any](rules []rule[T], token T) string {
	for _, rule := range rules {
		if breach := rule.breach(token); breach != "" {
			return fmt.Sprintf("%s; %s: %s", breach, strings.ReplaceAll(rule.spec, "§", "section "), rule.text)
		}
	}
	return ""
}

// unless returns "" when the rule holds, the words otherwise.
func unless(holds bool, format string, a ...any) string {
	if holds {
		return ""
	}
	return fmt.Sprintf(format, a...)
}
