package idp

import (
	"context"

	"github.com/hush-idp/hush/idp/logout"
)

// hint reads an id_token_hint for the logout endpoint.
func (p *site) hint(idToken string) (logout.Hint, error) {
	hint, err := p.authorize.Hints.Read(context.Background(), idToken)
	return logout.Hint(hint), err
}
