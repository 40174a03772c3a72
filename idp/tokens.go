package idp

import (
	"context"
	"fmt"

	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/oidc"
)

// hint reads an id_token_hint: an ID token that this provider signed, an expired one too, since it only says whom a request
// is about (Core §3.1.2.1 and §3.1.2.2).
func (p *Provider) hint(idToken string) (logout.Hint, error) {
	var claims token.IDToken
	if err := p.keys.Verify(idToken, keys.TypeIDToken, &claims); err != nil {
		return logout.Hint{}, err
	}
	if claims.Issuer != p.config.Issuer {
		return logout.Hint{}, fmt.Errorf("its iss is %s, expected %s", claims.Issuer, p.config.Issuer)
	}
	return logout.Hint{Subject: claims.Subject, SID: claims.SID, Audience: claims.Audience}, nil
}

// accessToken reads an access token that is good at this moment, else it returns an invalid_token error.
func (p *Provider) accessToken(ctx context.Context, raw string) (token.AccessToken, error) {
	var claims token.AccessToken
	if err := p.keys.Verify(raw, keys.TypeAccessToken, &claims); err != nil {
		return claims, oidc.InvalidToken.Errorf("the access token is not one of this provider: %v", err)
	}
	now := p.around.Now().Unix()
	switch {
	case claims.Issuer != p.config.Issuer:
		return claims, oidc.InvalidToken.Errorf("the access token's iss is %s, expected %s", claims.Issuer, p.config.Issuer)
	case now >= claims.Expiry:
		return claims, oidc.InvalidToken.Errorf("the access token expired %d seconds ago: renew it", now-claims.Expiry)
	}
	revoked, err := p.grants.IsRevoked(ctx, claims.GrantID)
	if revoked {
		return claims, oidc.InvalidToken.Errorf("the access token is revoked: its authorization code was used twice")
	}
	return claims, err
}
