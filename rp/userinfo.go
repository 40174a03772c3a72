package rp

import (
	"context"
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// userInfo is the subject of the rules about a userinfo response.
type userInfo struct {
	Iss string           `json:"iss"`
	Sub string           `json:"sub"`
	Aud jwt.Audience     `json:"aud"`
	Exp *jwt.NumericDate `json:"exp"`

	signed  bool
	session *Session
	config  Config
}

var userInfoRules = oidc.Table[userInfo]{
	{Spec: "Core §5.3.2", Text: "userinfo is signed when the client registered for it", Else: oidc.ServerError,
		Holds: func(u userInfo) bool { return u.signed || u.config.UserinfoSignedResponseAlg == "" },
		Got:   func(u userInfo) string { return "no signature, registered for " + u.config.UserinfoSignedResponseAlg }},
	{Spec: "Core §5.3.2", Text: "userinfo has a sub", Else: oidc.ServerError,
		Holds: func(u userInfo) bool { return u.Sub != "" }},
	{Spec: "Core §5.3.2", Text: "the iss of userinfo is the provider, and signed userinfo has one", Else: oidc.ServerError,
		Holds: func(u userInfo) bool { return u.Iss == u.config.Issuer || (u.Iss == "" && !u.signed) },
		Got:   func(u userInfo) string { return fmt.Sprintf("%q, not %s", clip(u.Iss), u.config.Issuer) }},
	{Spec: "Core §5.3.2", Text: "the aud of userinfo contains the client_id, and signed userinfo has one",
		Else: oidc.ServerError,
		Holds: func(u userInfo) bool {
			return slices.Contains(u.Aud, u.config.ClientID) || (len(u.Aud) == 0 && !u.signed)
		},
		Got: func(u userInfo) string { return fmt.Sprintf("%q, not %q", u.Aud, u.config.ClientID) }},
	{Spec: "RFC 7519 §4.1.4", Text: "signed userinfo has not expired", Else: oidc.ServerError,
		Holds: func(u userInfo) bool { return !u.signed || u.Exp == nil || u.config.Now().Before(u.Exp.Time()) }},
	{Spec: "Core §5.3.2", Text: "the sub of userinfo is that of the ID Token", Else: SubMismatch,
		Holds: func(u userInfo) bool { return u.Sub == u.session.Sub },
		Got:   func(userInfo) string { return "another sub than the ID Token" }},
}

// UserInfo asks the provider for the claims of the request's user (Core §5.3): a JSON object. A signed or encrypted
// answer is verified first. The error is one of those of TokenSource, or an *oidc.Error about the provider's answer.
func (p *RP) UserInfo(r *http.Request) (json.RawMessage, error) {
	session, err := p.usable(r)
	if err != nil {
		return nil, err
	}
	d, err := p.provider.discover(r.Context())
	if err != nil {
		return nil, err
	}
	media, body, err := p.fetchUserInfo(r.Context(), d, session)
	if err != nil {
		return nil, err
	}
	signed := media == "application/jwt"
	if signed {
		if body, err = p.verifyUserInfo(r.Context(), d, string(body)); err != nil {
			return nil, err
		}
	}
	u := userInfo{signed: signed, session: session, config: p.config}
	if err := json.Unmarshal(body, &u); err != nil {
		return nil, unusable("it is no JSON object, or sub, iss or aud has the wrong type")
	}
	if err := userInfoRules.Judge(r.Context(), u); err != nil {
		return nil, err
	}
	return body, nil
}

// fetchUserInfo sends the request of Core §5.3.1 and returns the answer's media type and body.
func (p *RP) fetchUserInfo(ctx context.Context, d *discovered, session *Session) (string, []byte, error) {
	if d.metadata.UserinfoEndpoint == "" {
		return "", nil, unusable("the provider has no userinfo_endpoint")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metadata.UserinfoEndpoint, nil)
	if err != nil {
		return "", nil, err
	}
	p.token(session).SetAuthHeader(r)
	response, body, err := p.provider.exchange(p.httpClient(nil), r)
	switch {
	case err != nil:
		return "", nil, err
	case response.StatusCode == http.StatusUnauthorized:
		return "", nil, oidc.InvalidToken.Errorf("the provider does not take the access token any more: " +
			"renew the session, or sign in again")
	case response.StatusCode != http.StatusOK:
		return "", nil, unusable("the status is " + response.Status)
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return media, body, nil
}

// verifyUserInfo decrypts and verifies a JWT. alg none is always refused.
func (p *RP) verifyUserInfo(ctx context.Context, d *discovered, raw string) ([]byte, error) {
	raw, err := p.decrypt(raw)
	if err != nil {
		return nil, unusable("it cannot be decrypted: " + err.Error())
	}
	offered := d.metadata.UserinfoSigningAlgValuesSupported
	if len(offered) == 0 { // Discovery §3: the list is optional
		offered = d.metadata.IDTokenSigningAlgValuesSupported
	}
	var algs []jose.SignatureAlgorithm
	for _, alg := range signingAlgs(p.config.UserinfoSignedResponseAlg, offered) {
		algs = append(algs, jose.SignatureAlgorithm(alg))
	}
	token, err := jwt.ParseSigned(strings.TrimSpace(raw), algs)
	if err != nil {
		return nil, unusable("it is not a JWT signed as expected: " + err.Error())
	}
	claims, err := p.keys.verify(ctx, token)
	if err != nil && asError(err).Code == ProviderDown {
		return nil, err
	}
	if err != nil {
		return nil, unusable("its signature cannot be verified: " + err.Error())
	}
	return claims, nil
}

func unusable(why string) error {
	return oidc.ServerError.Errorf("the userinfo endpoint's answer cannot be used: %s", clip(why))
}
