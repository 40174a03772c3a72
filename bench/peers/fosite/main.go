// Command fosite serves ory/fosite, a library of handlers, with its store in memory and its handlers for the
// authorization code, OpenID Connect and PKCE. Its access tokens are opaque.
package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v3"
	"github.com/ory/fosite"
	"github.com/ory/fosite/compose"
	"github.com/ory/fosite/handler/openid"
	"github.com/ory/fosite/storage"
	"github.com/ory/fosite/token/jwt"

	"github.com/hush-idp/hush/bench/peers/peer"
)

const tokenLifetime = time.Hour

type provider struct {
	*peer.Peer
	fosite.OAuth2Provider
}

func main() {
	p := provider{Peer: peer.Parse()}
	p.OAuth2Provider = newFosite(p.Peer)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /authorize", p.SignedIn(p.authorize))
	mux.HandleFunc("POST /token", p.token)
	p.Serve(mux)
}

func newFosite(p *peer.Peer) fosite.OAuth2Provider {
	config := &fosite.Config{
		GlobalSecret: []byte(rand.Text() + rand.Text())[:32], IDTokenIssuer: p.Issuer, AccessTokenLifespan: tokenLifetime,
		EnforcePKCEForPublicClients: true,
	}
	key := &jose.JSONWebKey{Key: p.Key, KeyID: peer.KeyID, Algorithm: p.Algorithm, Use: "sig"}
	keyOf := func(context.Context) (any, error) { return key, nil }
	store := storage.NewMemoryStore()
	store.Clients[peer.ClientID] = &fosite.DefaultOpenIDConnectClient{
		TokenEndpointAuthMethod: "none",
		DefaultClient: &fosite.DefaultClient{
			ID: peer.ClientID, Public: true, RedirectURIs: []string{peer.RedirectURI}, Scopes: []string{"openid"},
			ResponseTypes: []string{"code"}, GrantTypes: []string{"authorization_code"},
		},
	}
	strategy := &compose.CommonStrategy{
		CoreStrategy:               compose.NewOAuth2HMACStrategy(config),
		OpenIDConnectTokenStrategy: compose.NewOpenIDConnectStrategy(keyOf, config),
		Signer:                     &jwt.DefaultSigner{GetPrivateKey: keyOf},
	}
	return compose.Compose(config, store, strategy,
		compose.OAuth2AuthorizeExplicitFactory, compose.OpenIDConnectExplicitFactory, compose.OAuth2PKCEFactory)
}

func (p provider) authorize(w http.ResponseWriter, r *http.Request, session peer.Session) {
	request, err := p.NewAuthorizeRequest(r.Context(), r)
	if err == nil && session.Subject == "" {
		err = fosite.ErrLoginRequired
	}
	if err != nil {
		p.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	request.GrantScope("openid")
	response, err := p.NewAuthorizeResponse(r.Context(), request, p.claims(session))
	if err != nil {
		p.WriteAuthorizeError(r.Context(), w, request, err)
		return
	}
	p.WriteAuthorizeResponse(r.Context(), w, request, response)
}

// claims is what fosite calls a session: the future content of the ID token.
func (p provider) claims(session peer.Session) *openid.DefaultSession {
	now := time.Now()
	return &openid.DefaultSession{
		Subject: session.Subject,
		Headers: &jwt.Headers{Extra: map[string]any{"kid": peer.KeyID}},
		Claims: &jwt.IDTokenClaims{
			Issuer: p.Issuer, Subject: session.Subject, Audience: []string{peer.ClientID}, AuthTime: session.AuthTime,
			RequestedAt: now, IssuedAt: now, ExpiresAt: now.Add(tokenLifetime),
		},
	}
}

func (p provider) token(w http.ResponseWriter, r *http.Request) {
	empty := &openid.DefaultSession{Claims: &jwt.IDTokenClaims{}, Headers: &jwt.Headers{}}
	request, err := p.NewAccessRequest(r.Context(), r, empty)
	if err != nil {
		p.WriteAccessError(r.Context(), w, request, err)
		return
	}
	response, err := p.NewAccessResponse(r.Context(), request)
	if err != nil {
		p.WriteAccessError(r.Context(), w, request, err)
		return
	}
	p.WriteAccessResponse(r.Context(), w, request, response)
}
