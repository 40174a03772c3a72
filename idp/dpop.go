package idp

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// DPoPConfig says what is demanded of DPoP proofs (RFC 9449).
type DPoPConfig struct {
	// RequireNonce demands a nonce of this provider in every proof. Without it a nonce is checked where it comes, and clients
	// with profile fapi2 need one.
	RequireNonce bool `yaml:"require_nonce"`
}

// openDPoP makes the judge of proofs. Its nonces are made with the cookie keys, so that replicas agree about them.
func (h *shared) openDPoP() error {
	nonces, err := dpop.NewNonces(h.cookieKeys, h.deps.Now)
	h.dpop = &dpop.Checker{Nonces: nonces, Proofs: storage.NewBucket[time.Time]("dpop", h.deps.Store), Now: h.deps.Now}
	return err
}

// proof is the thumbprint of the key that a request proves to hold by its DPoP header; "" when it has none.
func (p *site) proof(r *http.Request, client oidc.Client) (jkt string, err error) {
	raw, err := dpop.Read(r.Header)
	if raw == "" || err != nil {
		return "", err
	}
	good, err := p.dpop.Check(r.Context(), raw, dpop.Request{
		Method: r.Method, URL: p.address(r), NeedsNonce: p.config.DPoP.RequireNonce || client.FAPI2(), FAPI2: client.FAPI2(),
	})
	return good.JKT, err
}

// address is the URL of the request as the client knows it: without query, and at an alias that of the alias.
func (p *site) address(r *http.Request) string {
	if asked, err := url.ParseRequestURI(r.RequestURI); err == nil {
		return p.config.Issuer + asked.EscapedPath()
	}
	return p.config.Issuer + r.URL.EscapedPath()
}

// tokenProof is proof for a request that gives tokens: some clients cannot do without.
func (p *site) tokenProof(r *http.Request, client oidc.Client) (jkt string, err error) {
	jkt, err = p.proof(r, client)
	if err == nil && jkt == "" && (client.DPoPBoundAccessTokens || client.FAPI2()) {
		return "", oidc.InvalidDPoPProof.Errorf("client %s gets tokens that are bound to its key only, and sent no proof: send one in the header DPoP "+
			"(RFC 9449 §5.2, FAPI 2.0 §5.3.2.1)", client.ClientID)
	}
	return jkt, err
}

// isBound judges whether whoever brings an access token may use it: whoever bears one that is not bound, and of one that is only the
// key's holder. RFC 9449 §7.2: "protected resources that support both […] MUST reject a DPoP-bound access token received as a
// bearer token".
func (p *site) isBound(r *http.Request, raw string, token access.Token) error {
	scheme, err := oidc.DPoPToken(r.Header)
	byKey := scheme != ""
	switch {
	case err != nil:
		return err
	case token.Confirmation == nil && !byKey:
		return nil
	case token.Confirmation == nil:
		return oidc.InvalidToken.Errorf("the access token is bound to no key: send it as Authorization: Bearer, or get one with a DPoP proof")
	case !byKey:
		return oidc.InvalidToken.Errorf("the access token is bound to a key: send it as Authorization: DPoP, with a proof in the header DPoP (RFC 9449 §7.1)").Blame(oidc.DPoPProof)
	}
	proof, err := dpop.Read(r.Header)
	if err != nil {
		return err
	}
	if proof == "" {
		return oidc.InvalidDPoPProof.Errorf("the access token came without a proof: send one in the header DPoP, with ath (RFC 9449 §7.1)")
	}
	client, err := p.clientOf(r.Context(), token.ClientID)
	if err != nil {
		return err
	}
	_, err = p.dpop.Check(r.Context(), proof, dpop.Request{
		Method: r.Method, URL: p.address(r), AccessToken: raw, JKT: token.Confirmation.JKT, NeedsNonce: p.config.DPoP.RequireNonce, FAPI2: client.FAPI2(),
	})
	return err
}

// giveNonce gives each client that uses DPoP a nonce for its next proof. RFC 9449 §8.2: a nonce in a response "signals […] the value to
// use in the next request".
func (p *site) giveNonce(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h := c.Request().Header; len(h.Values(dpop.Header)) > 0 {
			c.Response().Header().Set(dpop.HeaderNonce, p.dpop.Nonces.Current())
		}
		return next(c)
	}
}

func dpopAlgs() []string {
	var algs []string
	for _, alg := range dpop.Algorithms() {
		algs = append(algs, string(alg))
	}
	return algs
}

// challenge adds the WWW-Authenticate headers of userinfo: the error stands in that of the scheme that was used, or that should have
// been (RFC 9449 §7.1).
func (p *site) challenge(c echo.Context, err error) {
	h, e := c.Response().Header(), p.errors().Explain(err)
	algs := fmt.Sprintf("DPoP algs=%q", strings.Join(dpopAlgs(), " "))
	scheme, _, _ := strings.Cut(c.Request().Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "DPoP") || e.Reason == oidc.DPoPProof:
		h.Add("WWW-Authenticate", algs+challengeError(e))
	case err == errNoToken:
		h.Add("WWW-Authenticate", bearerChallenge(p.config.Issuer, err, e))
		h.Add("WWW-Authenticate", algs)
	default:
		h.Add("WWW-Authenticate", bearerChallenge(p.config.Issuer, err, e))
	}
}
