package clientauth

// RuleTexts are the sentences of the rules for assertions.
func RuleTexts() (texts []string) {
	for _, rule := range assertionRules {
		texts = append(texts, rule.Text)
	}
	return texts
}
