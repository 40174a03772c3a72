package dpop

// RuleTexts are the sentences of the rules.
func RuleTexts() (texts []string) {
	for _, rule := range rules {
		texts = append(texts, rule.Text)
	}
	return texts
}
