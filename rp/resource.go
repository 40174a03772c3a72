package rp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// ResourceConfig is what an API tells about itself and the provider whose access tokens it takes. Issuer and Audience are
// required.
type ResourceConfig struct {
	Issuer      string // compared byte for byte with the token's iss
	BackChannel string // as in Config
	Audience    string // what this API is called in the aud of access tokens
	Realm       string // named in WWW-Authenticate; empty: Audience

	// Origin is this API's scheme, host and port as callers see them, for the htu of DPoP proofs. Empty: as each request has it,
	// which is wrong behind a proxy that ends TLS.
	Origin string
	// Store remembers the jti of DPoP proofs. nil: in memory; several replicas share one.
	Store storage.Store

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// Resource protects an API with the JWT access tokens of one provider (RFC 9068). Its methods may be called by many
// goroutines at once.
type Resource struct {
	config ResourceConfig
	keys   *keySet
	proofs storage.Bucket[bool] // the jtis of those that were used
}

// NewResource checks the configuration. Like New it makes no network call: the provider's keys are fetched when the
// first token comes.
func NewResource(config ResourceConfig) (*Resource, error) {
	config.Now, config.Log = clock(config.Now), logger(config.Log)
	errs := []error{issuerURL(config.Issuer), originOnly("BackChannel", config.BackChannel), originOnly("Origin", config.Origin)}
	if config.Audience == "" {
		errs = append(errs, errors.New("rp: Audience is empty: give the name that access tokens for this API have in aud"))
	}
	if config.Realm == "" {
		config.Realm = config.Audience
	}
	if strings.ContainsFunc(config.Realm, notErrorChar) {
		errs = append(errs, fmt.Errorf("rp: Realm %q has a quote, a backslash or a character outside ASCII: it stands quoted in a header", config.Realm))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if config.Store == nil {
		config.Store = storage.NewMemory(config.Now)
	}
	return &Resource{
		config: config,
		keys:   newKeySet(newProvider(config.Issuer, config.BackChannel), config.Now),
		proofs: storage.NewBucket[bool]("rp-dpop-proof", config.Store),
	}, nil
}

// Require lets a request through when it carries an access token that is good for this API and has all the given scope
// values. The handler behind finds the token by AccessTokenFrom. Other requests get the answers of RFC 6750 §3: 401
// without a token or with a bad one, 400 for one that is sent wrongly, 403 for one that lacks scope; and 503 when the
// provider's keys cannot be had. Each has a JSON body with error_description and, unless the token is just missing,
// error.
//
// A token that is bound to a key (its cnf has jkt) must come with the scheme DPoP and a proof (RFC 9449 §7), any other as Bearer.
//
// The token is taken from the Authorization header only (RFC 6750 §2.1). One in the query is refused, because URLs are
// logged and remembered (§2.3, §5.3); bodies are left to the handler.
func (s *Resource) Require(scope ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := s.admit(r, scope)
			if err != nil {
				s.refuse(w, r, scope, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accessTokenKey{}, token)))
		})
	}
}

type accessTokenKey struct{}

// AccessTokenFrom returns the access token of a request that Require let through.
func AccessTokenFrom(ctx context.Context) (*AccessToken, bool) {
	token, ok := ctx.Value(accessTokenKey{}).(*AccessToken)
	return token, ok
}

func (s *Resource) admit(r *http.Request, scope oidc.Scope) (*AccessToken, error) {
	scheme, raw, err := presentedToken(r)
	if err != nil {
		return nil, err
	}
	token, err := s.verify(r.Context(), raw)
	if err != nil {
		return nil, err
	}
	if err := s.checkBinding(r, scheme, raw, token); err != nil {
		return nil, err
	}
	if !token.Scope.Covers(scope) {
		return nil, oidc.InsufficientScope.Errorf("this needs the scope '%s', the access token has '%s': ask for it when signing in", scope, token.Scope)
	}
	return token, nil
}
