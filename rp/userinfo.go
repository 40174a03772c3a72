package rp

import (
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/hush-idp/hush/oidc"
)

// userInfo is what the rules about a userinfo response look at.
type userInfo struct {
	Iss string           `json:"iss"`
	Sub string           `json:"sub"`
	Aud jwt.Audience     `json:"aud"`
	Exp *jwt.NumericDate `json:"exp"`

	signed  bool
	session *Session
	config  Config
}

var userInfoRules = []rule[userInfo]{
	{"Core §5.3.2", "a client that registered for it gets a signed answer", func(u userInfo) string {
		return unless(u.signed || u.config.UserinfoSignedResponseAlg == "", "the answer is not signed, expected %s", u.config.UserinfoSignedResponseAlg)
	}},
	{"Core §5.3.2", "sub is present", func(u userInfo) string {
		return unless(u.Sub != "", "sub is missing")
	}},
	{"Core §5.3.2", "iss is the provider, and a signed answer has it", func(u userInfo) string {
		absent := u.Iss == "" && !u.signed
		return unless(absent || u.Iss == u.config.Issuer, "iss is '%s', expected %s", clip(u.Iss), u.config.Issuer)
	}},
	{"Core §5.3.2", "aud contains the client_id, and a signed answer has it", func(u userInfo) string {
		absent := len(u.Aud) == 0 && !u.signed
		return unless(absent || slices.Contains(u.Aud, u.config.ClientID), "aud is %q, expected %q", u.Aud, u.config.ClientID)
	}},
	{"RFC 7519 §4.1.4", "now is before the exp of a signed answer, when it has one", func(u userInfo) string {
		return unless(!u.signed || u.Exp == nil || u.config.Now().Before(u.Exp.Time()), "it has expired")
	}},
}

// UserInfo asks the provider for the claims of the request's user (Core §5.3): a JSON object. A signed or encrypted answer
// is verified first. The error is one of those of TokenSource, or an *oidc.Error that says what the provider did.
func (p *RP) UserInfo(r *http.Request) (json.RawMessage, error) {
	session, err := p.usable(r)
	if err != nil {
		return nil, err
	}
	d, err := p.provider.discover(r.Context())
	if err != nil {
		return nil, err
	}
	media, body, err := p.askUserInfo(r.Context(), d, session)
	if err != nil {
		return nil, err
	}
	u := userInfo{session: session, config: p.config}
	if media == "application/jwt" {
		u.signed = true
		if body, err = p.openUserInfo(r.Context(), d, string(body)); err != nil {
			return nil, err
		}
	}
	return p.judgeUserInfo(u, body)
}

func (p *RP) judgeUserInfo(u userInfo, body []byte) (json.RawMessage, error) {
	if err := json.Unmarshal(body, &u); err != nil {
		return nil, unusable("it is no JSON object, or sub, iss or aud has the wrong type")
	}
	if breach := judge(userInfoRules, u); breach != "" {
		return nil, unusable(breach)
	}
	if u.Sub != u.session.Sub { // Core §5.3.2: "the UserInfo Response values MUST NOT be used"
		return nil, SubMismatch.Errorf("userinfo is about another sub than the ID Token (Core section 5.3.2)")
	}
	return body, nil
}

// askUserInfo sends the request of Core §5.3.1 and returns the answer's media type and body.
func (p *RP) askUserInfo(ctx context.Context, d *discovered, session *Session) (string, []byte, error) {
	if d.metadata.UserinfoEndpoint == "" {
		return "", nil, unusable("the provider has no userinfo_endpoint")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.metadata.UserinfoEndpoint, nil)
	if err != nil {
		return "", nil, err
	}
	p.token(session).SetAuthHeader(r)
	response, err := p.client(nil).Do(r)
	if err != nil {
		return "", nil, p.unreachable(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return "", nil, unusable(err.Error())
	case response.StatusCode == http.StatusUnauthorized:
		return "", nil, oidc.InvalidToken.Errorf("the provider does not take the access token any more: renew the session, or sign in again")
	case response.StatusCode != http.StatusOK:
		return "", nil, unusable("the status is " + response.Status)
	}
	media, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	return media, body, nil
}

// openUserInfo decrypts and verifies a JWT. alg none is never taken.
func (p *RP) openUserInfo(ctx context.Context, d *discovered, raw string) ([]byte, error) {
	raw, err := p.decrypt(raw)
	if err != nil {
		return nil, unusable("it cannot be decrypted: " + err.Error())
	}
	offered := d.metadata.UserinfoSigningAlgValuesSupported
	if len(offered) == 0 { // Discovery §3: the list is optional
		offered = d.metadata.IDTokenSigningAlgValuesSupported
	}
	algs := p.config.signingAlgs(p.config.UserinfoSignedResponseAlg, offered)
	token, err := jwt.ParseSigned(strings.TrimSpace(raw), signatureAlgorithms(algs))
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

func signatureAlgorithms(names []string) (algs []jose.SignatureAlgorithm) {
	for _, name := range names {
		algs = append(algs, jose.SignatureAlgorithm(name))
	}
	return algs
}

func unusable(why string) error {
	return oidc.ServerError.Errorf("the userinfo endpoint's answer cannot be used: %s", clip(why))
}
