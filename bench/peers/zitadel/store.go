package main

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/hush-idp/hush/bench/peers/peer"
)

const tokenLifetime = time.Hour

var errNotFound = errors.New("not found")

// request is a stored authorization request, by the methods that the library asks for.
type request struct {
	oidc.AuthRequest
	id      string
	session peer.Session
}

func (r *request) GetID() string          { return r.id }
func (r *request) GetACR() string         { return "" }
func (r *request) GetAMR() []string       { return nil }
func (r *request) GetAudience() []string  { return []string{r.ClientID} }
func (r *request) GetAuthTime() time.Time { return r.session.AuthTime }
func (r *request) GetClientID() string    { return r.ClientID }
func (r *request) GetNonce() string       { return r.Nonce }
func (r *request) GetScopes() []string    { return r.Scopes }
func (r *request) GetSubject() string     { return r.session.Subject }
func (r *request) Done() bool             { return true }
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}
func (r *request) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }

// client is the one client. The library asks nothing of the embedded interface during a renewal.
type client struct {
	op.Client
	jwt bool
}

func (client) GetID() string                       { return peer.ClientID }
func (client) RedirectURIs() []string              { return []string{peer.RedirectURI} }
func (client) ApplicationType() op.ApplicationType { return op.ApplicationTypeNative }
func (client) AuthMethod() oidc.AuthMethod         { return oidc.AuthMethodNone }
func (client) ResponseTypes() []oidc.ResponseType  { return []oidc.ResponseType{oidc.ResponseTypeCode} }
func (client) GrantTypes() []oidc.GrantType        { return []oidc.GrantType{oidc.GrantTypeCode} }
func (client) IDTokenLifetime() time.Duration      { return tokenLifetime }
func (client) DevMode() bool                       { return false }
func (client) ClockSkew() time.Duration            { return 0 }
func (client) IsScopeAllowed(string) bool          { return false }
func (client) IDTokenUserinfoClaimsAssertion() bool {
	return false
}
func (c client) AccessTokenType() op.AccessTokenType {
	if c.jwt {
		return op.AccessTokenTypeJWT
	}
	return op.AccessTokenTypeBearer
}

func same(scopes []string) []string { return scopes }

func (client) RestrictAdditionalIdTokenScopes() func([]string) []string     { return same }
func (client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

// store has maps under one lock. The library asks nothing of the embedded interface during a renewal.
type store struct {
	op.Storage
	key    signingKey
	client client

	mu       sync.Mutex
	requests map[string]*request // by id
	codes    map[string]string   // ids of requests
	tokens   map[string]string   // subjects
}

func (s *store) CreateAuthRequest(ctx context.Context, sent *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	session, _ := ctx.Value(sessionKey{}).(peer.Session)
	if session.Subject == "" {
		return nil, oidc.ErrLoginRequired()
	}
	r := &request{*sent, rand.Text(), session}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests[r.id] = r
	return r, nil
}

func (s *store) SaveAuthCode(_ context.Context, id, code string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.codes[code] = id
	return nil
}

func (s *store) AuthRequestByCode(_ context.Context, code string) (op.AuthRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.requests[s.codes[code]]
	if !ok {
		return nil, errNotFound
	}
	delete(s.codes, code)
	return r, nil
}

func (s *store) DeleteAuthRequest(_ context.Context, id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.requests, id)
	return nil
}

func (s *store) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[id] = r.GetSubject()
	return id, time.Now().Add(tokenLifetime), nil
}

func (s *store) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != peer.ClientID {
		return nil, errNotFound
	}
	return s.client, nil
}

// SetUserinfoFromRequest sets the subject, which the library copies into the ID token.
func (s *store) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, _ []string) error {
	info.Subject = r.GetSubject()
	return nil
}

func (s *store) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

func (s *store) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

func (s *store) SigningKey(context.Context) (op.SigningKey, error) { return s.key, nil }
func (s *store) KeySet(context.Context) ([]op.Key, error)          { return []op.Key{publicKey{s.key}}, nil }
func (s *store) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{s.key.alg}, nil
}
func (s *store) Health(context.Context) error { return nil }
