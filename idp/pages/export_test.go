package pages

import (
	"context"
	"strings"
)

// Say renders the text of key in the language, as a page does.
func (p *Pages) Say(language, key string, pairs ...any) (string, error) {
	in, err := p.words(language)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	err = in.say(key, pairs...).Render(context.Background(), &text)
	return text.String(), err
}
