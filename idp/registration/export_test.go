package registration

import "github.com/hush-idp/hush/oidc"

// Specs are the texts of the rules, so that a test can see that each was broken once.
func Specs() []string {
	var texts []string
	for _, rule := range rules {
		texts = append(texts, rule.Text)
	}
	return texts
}

// Listed are the members that the provider's own metadata has to list, as errors begin with them.
func Listed() []string {
	var texts []string
	for _, c := range choicesOf(oidc.Client{}, oidc.Metadata{}) {
		texts = append(texts, c.Field+" is ")
	}
	return texts
}
