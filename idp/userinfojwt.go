package idp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/oidc"
)

// answerUserinfo writes the claims in the form that the client registered. Core §5.3.2: "If a signed response is requested, the
// UserInfo Response MUST be returned as a JWT with content type application/jwt", and the same for an encrypted one.
// https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse
func (p *site) answerUserinfo(c echo.Context, clientID string, claims map[string]any) error {
	ctx := c.Request().Context()
	client, err := p.clientOf(ctx, clientID)
	if err == nil {
		claims["sub"], err = p.subjects.Of(client, fmt.Sprint(claims["sub"]))
	}
	switch {
	case err != nil:
		return err
	case client.UserinfoSignedResponseAlg == "" && client.UserinfoEncryptedResponseAlg == "":
		return c.JSON(http.StatusOK, claims)
	}
	answer, err := p.userinfoJWT(client, claims)
	if err == nil {
		answer, err = p.clientKeys.EncryptUserinfo(ctx, client, answer, client.UserinfoSignedResponseAlg != "")
	}
	if err != nil {
		return err
	}
	return c.Blob(http.StatusOK, "application/jwt", answer)
}

// clientOf is the client that an access token was given to.
func (p *site) clientOf(ctx context.Context, clientID string) (oidc.Client, error) {
	client, err := p.clients.ByID(ctx, clientID)
	if errors.Is(err, clients.ErrUnknown) {
		return client, oidc.InvalidToken.Errorf("the access token's client is not registered any more")
	}
	return client, err
}

// userinfoJWT signs the claims, if the client wants that. Core §5.3.2: "If signed, the UserInfo Response MUST contain the Claims iss
// (issuer) and aud (audience) as members."
func (p *site) userinfoJWT(client oidc.Client, claims map[string]any) ([]byte, error) {
	if client.UserinfoSignedResponseAlg == "" {
		return json.Marshal(claims)
	}
	claims = maps.Clone(claims)
	claims["iss"], claims["aud"] = p.config.Issuer, client.ClientID
	signed, err := p.keys.Sign(client.UserinfoSignedResponseAlg, keys.TypeIDToken, claims)
	return []byte(signed), err
}

// checkUserinfoAlgs: what a client wants signed, a key must be there for.
func (c Config) checkUserinfoAlgs(p *Problems) {
	for i, client := range c.Clients {
		alg := client.UserinfoSignedResponseAlg
		p.when(alg != "" && !slices.ContainsFunc(c.SigningKeys, func(k SigningKey) bool { return k.Alg == alg }), fmt.Sprintf("clients[%d].userinfo_signed_response_alg", i),
			"%q has no signing key: add one to signing_keys, or choose another alg", alg)
	}
}
