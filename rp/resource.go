package rp

import (
	"cmp"
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

// ResourceConfig describes an API and the provider of its access tokens. Issuer and Audience are required.
type ResourceConfig struct {
	Issuer      string // compared byte for byte with the token's iss
	BackChannel string // as in Config
	Audience    string // the name of this API in the aud of access tokens
	Realm       string // in WWW-Authenticate; empty: Audience

	// Origin is this API's scheme, host and port for its callers, in the htu of DPoP proofs. Empty: that of each request,
	// which is wrong behind a proxy that ends TLS.
	Origin string
	// Store remembers the jti of DPoP proofs. nil: in memory; several replicas must share one.
	Store storage.Store

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// Resource protects an API with the JWT access tokens of one provider (RFC 9068). Its methods may be called by several
// goroutines at once.
type Resource struct {
	config ResourceConfig
	keys   *keySet
	proofs storage.Bucket[bool] // by thumbprint and jti of used proofs
}

// NewResource checks the configuration. It makes no network call: the provider's keys are fetched for the first token.
func NewResource(config ResourceConfig) (*Resource, error) {
	if config.Now == nil {
		config.Now = time.Now
	}
	config.Log, config.Realm = cmp.Or(config.Log, slog.Default()), cmp.Or(config.Realm, config.Audience)
	errs := []error{
		checkIssuer(config.Issuer), checkOrigin("BackChannel", config.BackChannel), checkOrigin("Origin", config.Origin),
	}
	if config.Audience == "" {
		errs = append(errs, errors.New("rp: Audience is empty: give the name that access tokens for this API have in aud"))
	}
	if strings.ContainsFunc(config.Realm, notErrorChar) {
		errs = append(errs, fmt.Errorf("rp: Realm %q has a quote, a backslash or a character outside ASCII: "+
			"it stands quoted in a header", config.Realm))
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

// Require passes a request on when it carries a valid access token for this API with all the given scope values; the
// next handler gets the token by AccessTokenFrom. Other requests get the answers of RFC 6750 §3: 401 without a valid
// token, 400 for a malformed request, 403 for a token that lacks scope; and 503 when the provider's keys cannot be
// fetched. Each has a JSON body with error_description and, unless the token is missing, error.
//
// A token that is bound to a key (its cnf has jkt) must come with the scheme DPoP and a proof (RFC 9449 §7), any other
// as Bearer. The token must be in the Authorization header (RFC 6750 §2.1). One in the query is refused, because URLs
// are logged (§2.3, §5.3); bodies are not read.
func (s *Resource) Require(scope ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token, err := s.authorize(r, scope)
			if err != nil {
				s.refuse(w, r, scope, err)
				return
			}
			next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), accessTokenKey{}, token)))
		})
	}
}

type accessTokenKey struct{}

// AccessTokenFrom returns the access token of a request that passed Require.
func AccessTokenFrom(ctx context.Context) (*AccessToken, bool) {
	token, ok := ctx.Value(accessTokenKey{}).(*AccessToken)
	return token, ok
}

func (s *Resource) authorize(r *http.Request, scope oidc.Scope) (*AccessToken, error) {
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
		return nil, oidc.InsufficientScope.Errorf("this needs the scope '%s', the access token has '%s': "+
			"ask for it when signing in", scope, token.Scope)
	}
	return token, nil
}

// errNoToken is no OAuth error: RFC 6750 §3.1, "If the request lacks any authentication information … the resource
// server SHOULD NOT include an error code".
var errNoToken = errors.New("no access token: send it as Authorization: Bearer followed by the token")

// presentedToken finds the access token of a request and its scheme: RFC 6750 §2, "Clients MUST NOT use more than one
// method to transmit the token in each request".
func presentedToken(r *http.Request) (scheme, token string, err error) {
	if r.URL.Query().Has("access_token") {
		return "", "", oidc.InvalidRequest.Errorf("the access token is in the query: " +
			"send it in the Authorization header, there only")
	}
	token, err = oidc.BearerToken(r.Header)
	if err != nil || token != "" {
		return tokenTypeBearer, token, err
	}
	token, err = oidc.DPoPToken(r.Header)
	if err == nil && token == "" {
		err = errNoToken
	}
	return tokenTypeDPoP, token, err
}

// refuse answers as RFC 6750 §3 says.
func (s *Resource) refuse(w http.ResponseWriter, r *http.Request, scope oidc.Scope, err error) {
	challenge := s.challenge(r)
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", challenge)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error_description": err.Error()})
		return
	}
	e := asError(err)
	s.config.Log.InfoContext(r.Context(), "request to the API refused",
		"error", string(e.Code), "error_description", e.Description, "cause", e.Unwrap())
	switch e.Code {
	case oidc.InvalidRequest, oidc.InvalidToken, oidc.InsufficientScope, oidc.InvalidDPoPProof:
		// Errorf has removed quotes and characters outside ASCII.
		challenge += fmt.Sprintf(`, error="%s", error_description="%s"`, e.Code, e.Description)
		if e.Code == oidc.InsufficientScope {
			challenge += fmt.Sprintf(`, scope="%s"`, scope)
		}
		w.Header().Set("WWW-Authenticate", challenge)
	}
	code := status(e)
	if e.Code == oidc.InvalidDPoPProof { // RFC 9449 §7.1
		code = http.StatusUnauthorized
	}
	writeJSON(w, code, e)
}

// challenge has the scheme of the request.
func (s *Resource) challenge(r *http.Request) string {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, tokenTypeDPoP) {
		return fmt.Sprintf(`Bearer realm="%s"`, s.config.Realm)
	}
	names := make([]string, len(asymmetric))
	for i, alg := range asymmetric {
		names[i] = string(alg)
	}
	return fmt.Sprintf(`DPoP realm="%s", algs="%s"`, s.config.Realm, strings.Join(names, " "))
}
