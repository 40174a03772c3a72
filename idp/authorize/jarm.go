package authorize

import (
	"cmp"
	"net/url"
	"time"

	"github.com/hush-idp/hush/oidc"
)

// The response modes of JARM: as another mode, and the answer is one JWT in the parameter response. jwt alone means the default
// mode of response_type=code, query.
// https://openid.net/specs/oauth-v2-jarm.html
const (
	dotJWT  = ".jwt"
	onlyJWT = "jwt"
)

// answerLifetime: JARM §2.1: "The JWT MUST have […] exp […] A maximum JWT lifetime of 10 minutes is RECOMMENDED."
const answerLifetime = 10 * time.Minute

// signAnswer makes the JWT of JARM §2.1: the parameters of the answer, and iss, aud and exp.
func (e *Endpoint) signAnswer(client oidc.Client, answer url.Values) (string, error) {
	claims := map[string]any{}
	for name := range answer {
		claims[name] = answer.Get(name)
	}
	claims["iss"], claims["aud"], claims["exp"] = e.Issuer, client.ClientID, e.Now().Add(answerLifetime).Unix()
	return e.Sign(cmp.Or(client.AuthorizationSignedResponseAlg, client.DefaultAlg()), claims)
}
