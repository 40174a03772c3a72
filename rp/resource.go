package rp

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	josejson "github.com/go-jose/go-jose/v4/json" // matches names exactly, and refuses a repeated name
	"github.com/go-jose/go-jose/v4/jwt"

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
		keys:   &keySet{provider: newProvider(config.Issuer, config.BackChannel), now: config.Now},
		proofs: storage.NewBucket[bool]("rp-dpop-proof", config.Store),
	}, nil
}

// Require passes a request on when it has a valid access token for this API with all the given scope values; the next
// handler gets the token by AccessTokenFrom. Other requests get the answers of RFC 6750 §3: 401 without a valid token,
// 400 for a malformed request, 403 for a token that lacks scope; and 503 when the provider's keys cannot be fetched.
// Each has a JSON body with error_description and, unless the token is missing, error.
//
// The token must be in the Authorization header (RFC 6750 §2.1): with the scheme DPoP and a proof (RFC 9449 §7) when it
// is bound to a key (its cnf has jkt), else as Bearer. A token in the query is refused, because URLs are logged (§5.3).
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

// errNoToken is no OAuth error: RFC 6750 §3.1, a request without authentication gets no error code.
var errNoToken = errors.New("no access token: send it as Authorization: Bearer followed by the token")

// presentedToken finds the access token of a request, which is in one place only (RFC 6750 §2), and its scheme.
func presentedToken(r *http.Request) (scheme, token string, err error) {
	if query, _ := oidc.ParseQuery(r.URL.RawQuery); query.Has("access_token") {
		return "", "", oidc.InvalidRequest.Errorf("the access token is in the query: use the Authorization header only")
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
	scheme, _ := oidc.Authorization(r.Header)
	if !strings.EqualFold(scheme, tokenTypeDPoP) {
		return fmt.Sprintf(`Bearer realm="%s"`, s.config.Realm)
	}
	names := make([]string, len(asymmetric))
	for i, alg := range asymmetric {
		names[i] = string(alg)
	}
	return fmt.Sprintf(`DPoP realm="%s", algs="%s"`, s.config.Realm, strings.Join(names, " "))
}

// AccessToken is a verified access token (RFC 9068 §2.2).
type AccessToken struct {
	Iss      string
	Sub      string
	Aud      []string
	ClientID string
	Jti      string
	Scope    oidc.Scope
	JKT      string // the thumbprint of the key that the token is bound to (RFC 9449 §6.1); empty: a bearer token
	Exp      time.Time
	Iat      time.Time
	Claims   json.RawMessage // all claims, a JSON object
}

// accessTokenRules are judged once the signature has been verified.
var accessTokenRules = otherwise(oidc.InvalidToken, oidc.AccessTokenRules())

// verify checks an access token: RFC 9068 §4.
func (s *Resource) verify(ctx context.Context, raw string) (*AccessToken, error) {
	signed, err := s.keys.open(ctx, raw, asymmetric)
	if err != nil {
		return nil, tokenKind{oidc.InvalidToken, "the access token", "RFC 9068 section 4"}.refuse(err)
	}
	t := oidc.AccessToken{Typ: signed.typ, Provider: s.config.Issuer, API: s.config.Audience, Now: s.config.Now()}
	if josejson.Unmarshal(signed.claims, &t.AccessTokenClaims) != nil {
		return nil, oidc.InvalidToken.Errorf(
			"a claim of the access token is there twice or has the wrong type (RFC 9068 section 2.2)")
	}
	if err := accessTokenRules.Judge(ctx, t); err != nil {
		return nil, err
	}
	verified := &AccessToken{
		Iss: t.Issuer, Sub: t.Subject, Aud: t.Audience, ClientID: t.ClientID, Jti: t.ID,
		Scope: oidc.ParseScope(t.Scope), Exp: t.Expiry.Time(), Iat: t.IssuedAt.Time(), Claims: signed.claims,
	}
	if t.Cnf != nil {
		verified.JKT = t.Cnf.JKT
	}
	return verified, nil
}

// proofWindow is the accepted difference of the iat of a DPoP proof from this API's clock, in either direction.
const proofWindow = time.Minute

// proof is the subject of the rules about a DPoP proof.
type proof struct {
	proofClaims
	typ         string
	jkt         string // of the key that signed it
	request     *http.Request
	target      string // the request's htu
	accessToken string
	token       *AccessToken
	now         time.Time
}

type proofClaims struct {
	Jti string           `json:"jti"`
	Htm string           `json:"htm"`
	Htu string           `json:"htu"`
	Iat *jwt.NumericDate `json:"iat"`
	Ath string           `json:"ath"`
}

// proofRules are the rules of RFC 9449 §4.3 for an API, after alg, jwk and signature.
var proofRules = otherwise(oidc.InvalidDPoPProof, oidc.Table[proof]{
	{Spec: "RFC 9449 §4.3 (4)", Text: "the DPoP proof's typ is dpop+jwt",
		Holds: func(p proof) bool { return p.typ == proofType },
		Got:   func(p proof) string { return fmt.Sprintf("%q", clip(p.typ)) }},
	{Spec: "RFC 9449 §4.3 (3)", Text: "the DPoP proof's jti has 1 to 255 bytes",
		Holds: func(p proof) bool { return p.Jti != "" && len(p.Jti) <= 255 },
		Got:   func(p proof) string { return fmt.Sprintf("%d bytes", len(p.Jti)) }},
	{Spec: "RFC 9449 §4.3 (8)", Text: "the DPoP proof's htm is the method of the request",
		Holds: func(p proof) bool { return p.Htm == p.request.Method },
		Got:   func(p proof) string { return fmt.Sprintf("%q, not %s", clip(p.Htm), p.request.Method) }},
	{Spec: "RFC 9449 §4.3 (9)", Text: "the DPoP proof's htu is the address of the request",
		Holds: func(p proof) bool { return normalHTU(p.Htu) == p.target },
		Got:   func(p proof) string { return fmt.Sprintf("%q, not %s", clip(p.Htu), p.target) }},
	{Spec: "RFC 9449 §4.3 (11)", Text: "the DPoP proof has an iat",
		Holds: func(p proof) bool { return p.Iat != nil }},
	{Spec: "RFC 9449 §4.3 (11)", Text: "the DPoP proof's iat is within 1m0s of this API's clock",
		Holds: func(p proof) bool { return p.now.Sub(p.Iat.Time()).Abs() <= proofWindow },
		Got:   func(p proof) string { return seconds(p.now.Sub(p.Iat.Time()).Abs()) + " away" }},
	{Spec: "RFC 9449 §4.3 (12)", Text: "the DPoP proof's ath is the hash of the access token",
		Holds: func(p proof) bool { return p.Ath == ath(p.accessToken) }},
	{Spec: "RFC 9449 §4.3 (12)", Text: "the DPoP proof is signed by the key of the access token",
		Holds: func(p proof) bool { return p.jkt == p.token.JKT }},
})

// checkBinding compares a token that is bound to a key with the proof (RFC 9449 §7.1), and refuses the wrong scheme: a
// bound token is no bearer token (§7.2).
func (s *Resource) checkBinding(r *http.Request, scheme, raw string, token *AccessToken) error {
	switch {
	case token.JKT == "" && scheme == tokenTypeBearer:
		return nil
	case token.JKT == "":
		return oidc.InvalidToken.Errorf("the access token is bound to no key (RFC 9449 section 7.1): send it as Bearer")
	case scheme == tokenTypeBearer:
		return oidc.InvalidToken.Errorf("the access token is bound to a key (RFC 9449 section 7.2): " +
			"send it as DPoP with a proof")
	}
	proofs := r.Header.Values("DPoP")
	if len(proofs) != 1 { // §4.3 (1)
		return oidc.InvalidDPoPProof.Errorf("the request has %d DPoP headers, not one (RFC 9449 section 4.3)", len(proofs))
	}
	p := proof{request: r, target: s.htuOf(r), accessToken: raw, token: token, now: s.config.Now()}
	if err := p.read(proofs[0]); err != nil {
		return err
	}
	if err := proofRules.Judge(r.Context(), p); err != nil {
		return err
	}
	// §11.1: the proof is remembered for as long as its iat is acceptable.
	return spendOnce(r.Context(), s.proofs, p.jkt+" "+p.Jti, 2*proofWindow, oidc.InvalidDPoPProof.Errorf(
		"the DPoP proof has been used before (RFC 9449 section 11.1): make a new one for each request"))
}

// read verifies the signature by the key inside: RFC 9449 §4.3 (2), (5), (6), (7).
func (p *proof) read(raw string) error {
	kind := tokenKind{oidc.InvalidDPoPProof, "the DPoP proof", "RFC 9449 section 4.3"}
	token, err := jwt.ParseSigned(raw, asymmetric)
	if err != nil {
		return kind.refuse(fmt.Errorf("it is not a JWT signed as expected: %w", err))
	}
	header := token.Headers[0]
	if err := oidc.CheckCrit(header); err != nil {
		return kind.refuse(err)
	}
	if header.JSONWebKey == nil || !header.JSONWebKey.IsPublic() {
		return kind.refuse(errors.New("it has no public key as jwk in its header"))
	}
	p.typ, p.jkt = mediaType(header), thumbprint(*header.JSONWebKey)
	if token.Claims(header.JSONWebKey.Key, &p.proofClaims) != nil {
		return kind.refuse(errors.New("its signature is not by its jwk, or a claim has the wrong type"))
	}
	return nil
}

// htuOf is the address of the request for its sender.
func (s *Resource) htuOf(r *http.Request) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return normalHTU(cmp.Or(s.config.Origin, scheme+r.Host) + r.URL.EscapedPath())
}

// normalHTU normalizes an htu by syntax and scheme before it is compared: RFC 9449 §4.3.
func normalHTU(text string) string {
	u, err := url.Parse(text)
	if err != nil || oidc.Origin(text) == "" {
		return ""
	}
	return oidc.Origin(text) + cmp.Or(u.EscapedPath(), "/")
}
