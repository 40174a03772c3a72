package rp

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/singleflight"

	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/storage"
)

// Config describes an application and its provider. Issuer, ClientID and RedirectURI are required.
type Config struct {
	// Issuer is the provider's address for the browser. The issuer in its metadata, and the iss of every answer and token,
	// must equal it byte for byte.
	Issuer string
	// BackChannel is the scheme, host and port at which this process reaches the provider, such as http://idp:8080 in a
	// container network; the Host header stays the issuer's. Empty: the issuer's own address.
	BackChannel string

	ClientID string
	// ClientSecret is empty for a public client, which PKCE alone protects, and for a client with a ClientKey.
	ClientSecret string
	// ClientKey is a private key with kid and alg. With it the client authenticates by private_key_jwt (RFC 7523) and
	// signs its request objects. JWKS can publish the public half.
	ClientKey *jose.JSONWebKey
	// TokenEndpointAuthMethod is one of oidc.AuthMethod…, as the client is registered. Empty: private_key_jwt with a
	// ClientKey; with a ClientSecret client_secret_basic, or _post when the provider does not list basic; else none.
	TokenEndpointAuthMethod string

	// RedirectURI is where Callback is mounted.
	RedirectURI string
	// SilentRedirectURI is the page of the same origin that POSTs its query to FinishSilent. Empty: no silent login.
	SilentRedirectURI string
	// PostLogoutRedirectURI is where the provider sends the browser after Logout. Empty: the provider shows its own page.
	PostLogoutRedirectURI string

	// Home is the local path where the browser goes after a sign-in without return_to, with error and error_description
	// in its query after a failure, and after Logout at a provider without logout page. Empty: /.
	Home string

	// Scopes must contain openid; nil means openid alone. With offline_access and the user's consent (Core §11: Login
	// with prompt=consent) sessions are renewed by refresh tokens as well: see Refresh.
	Scopes []string

	// PushedAuthorizationRequests sends the request to the provider directly; the browser gets a reference to it (RFC
	// 9126). A provider that requires it for all clients gets pushed requests in any case.
	PushedAuthorizationRequests bool
	// RequestObjects signs the request with ClientKey (RFC 9101).
	RequestObjects bool
	// ResponseMode of a sign-in: empty, query or form_post. form_post keeps the code out of URLs; silent login uses query.
	ResponseMode string

	// DPoP binds the tokens to a key (RFC 9449), so that a stolen token is useless without the key.
	DPoP bool
	// DPoPKey is a private key with an alg, the same in all replicas. nil: New makes one, so a restart makes the tokens of
	// all sessions useless.
	DPoPKey *jose.JSONWebKey

	// IDTokenSignedResponseAlg is the algorithm of ID and logout tokens, as the client is registered. Empty: RS256, the
	// default of Registration §2; of a provider that offers no RS256, the first asymmetric one that it offers.
	IDTokenSignedResponseAlg string
	// UserinfoSignedResponseAlg requires userinfo to be signed by this algorithm. Empty: the signature is optional, and by
	// the algorithm that IDTokenSignedResponseAlg has by default.
	UserinfoSignedResponseAlg string
	// DecryptionKeys are private keys with kid and alg for encrypted ID Tokens and userinfo (Core §10.2).
	DecryptionKeys []jose.JSONWebKey
	// TrustedAudiences may stand in the aud of an ID Token beside ClientID.
	TrustedAudiences []string

	// Claims asks for single claims (Core §5.5). nil: the claims of the scopes.
	Claims *oidc.ClaimsRequest
	// Resources are the APIs that access tokens are for (RFC 8707).
	Resources []string

	// UserInfoAtSignIn asks the userinfo endpoint at each sign-in and stores the answer in Session.UserInfo. Most
	// providers give the claims of scopes such as profile and email there only (Core §5.4). The sign-in fails when the
	// answer is missing or is about another sub (Core §5.3.2).
	UserInfoAtSignIn bool
	// OnSignIn is called at each sign-in, by Callback or by FinishSilent without a session, after all checks and before
	// the session is stored. It may find or create the application's user and set Session.User. A renewal does not call
	// it.
	//
	// An error refuses the sign-in: nobody is signed in afterwards, also when there was a session before, and the refresh
	// token is revoked. The browser goes to the application's page as after any failure. An *oidc.Error, such as
	// oidc.AccessDenied.Errorf("only staff may sign in"), gives error and error_description there; of any other error
	// the log has the text, and the page has server_error.
	OnSignIn func(*http.Request, *Session) error

	// CookieKeys are secrets of 32 bytes or more. The first encrypts new cookies, and all of them decrypt, so that a key
	// can be replaced without signing users out. nil: one random key until the process ends.
	CookieKeys [][]byte
	// Store holds the sessions. nil: in memory.
	Store storage.Store

	Now func() time.Time // nil: time.Now
	Log *slog.Logger     // nil: slog.Default()
}

// The values of Config.ResponseMode.
const (
	responseModeQuery    = "query"
	responseModeFormPost = "form_post"
)

// authMethods are the values of Config.TokenEndpointAuthMethod.
var authMethods = []string{
	"", oidc.AuthMethodNone, oidc.AuthMethodBasic, oidc.AuthMethodPost, oidc.AuthMethodSecretJWT,
	oidc.AuthMethodPrivateJWT,
}

// RP is a relying party. Its methods may be called by several goroutines at once.
type RP struct {
	config     Config
	provider   *provider
	keys       *keySet
	prover     *prover // nil: bearer tokens
	cookies    cookies
	sessions   storage.Bucket[Session]
	spent      storage.Bucket[bool]    // states of finished flows, and logout tokens that were handled
	signedOut  storage.Bucket[signOut] // sign-outs by the provider, by sid or sub
	refreshing *singleflight.Group
	sameOrigin *http.CrossOriginProtection
}

// New checks the configuration. It makes no network call: the provider is discovered when it is first needed, and asked
// again until it answers, so the two may start in any order.
func New(config Config) (*RP, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	cookies, err := newCookies(config)
	if err != nil {
		return nil, err
	}
	sameOrigin := http.NewCrossOriginProtection()
	// Behind a proxy the Host header may differ from the origin in the browser.
	if err := sameOrigin.AddTrustedOrigin(oidc.Origin(config.RedirectURI)); err != nil {
		return nil, fmt.Errorf("rp: RedirectURI: %w", err)
	}
	provider := newProvider(config.Issuer, config.BackChannel)
	return &RP{
		config: config, provider: provider, prover: newProver(config), cookies: cookies, sameOrigin: sameOrigin,
		keys:       &keySet{provider: provider, now: config.Now},
		sessions:   storage.NewBucket[Session]("rp-session", config.Store),
		spent:      storage.NewBucket[bool]("rp-spent-state", config.Store),
		signedOut:  storage.NewBucket[signOut]("rp-signed-out", config.Store),
		refreshing: &singleflight.Group{},
	}, nil
}

func (c Config) withDefaults() Config {
	c.Home = cmp.Or(c.Home, "/")
	if c.Scopes == nil {
		c.Scopes = []string{oidc.ScopeOpenID}
	}
	if c.CookieKeys == nil {
		key := make([]byte, minCookieKey)
		rand.Read(key) // never fails: see crypto/rand
		c.CookieKeys = [][]byte{key}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Store == nil {
		c.Store = storage.NewMemory(c.Now)
	}
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.OnSignIn == nil {
		c.OnSignIn = func(*http.Request, *Session) error { return nil }
	}
	if c.DPoP && c.DPoPKey == nil {
		c.DPoPKey = newDPoPKey()
	}
	return c
}

// check returns all faults of the configuration at once.
func (c Config) check() error {
	errs := []error{
		checkIssuer(c.Issuer), checkOrigin("BackChannel", c.BackChannel), checkURL("RedirectURI", c.RedirectURI, true),
		checkURL("SilentRedirectURI", c.SilentRedirectURI, false),
		checkURL("PostLogoutRedirectURI", c.PostLogoutRedirectURI, false),
	}
	add := func(fault bool, format string, a ...any) {
		if fault {
			errs = append(errs, fmt.Errorf("rp: "+format, a...))
		}
	}
	add(!isLocalPath(c.Home), "Home %q is not a local path: begin it with one slash", c.Home)
	add(c.ClientID == "", "ClientID is empty: give the client_id under which the provider knows this application")
	add(c.SilentRedirectURI != "" && oidc.Origin(c.SilentRedirectURI) != oidc.Origin(c.RedirectURI),
		"SilentRedirectURI %q and RedirectURI %q have different origins: cookies of one do not reach the other",
		c.SilentRedirectURI, c.RedirectURI)
	add(!slices.Contains(c.Scopes, oidc.ScopeOpenID),
		"Scopes %q lack openid: without it the provider gives no ID Token (Core §3.1.2.1)", c.Scopes)
	for i, key := range c.CookieKeys {
		add(len(key) < minCookieKey, "CookieKeys[%d] has %d bytes: give at least %d random ones", i, len(key), minCookieKey)
	}
	add(len(c.CookieKeys) == 0, "CookieKeys is empty: give at least one key, or nil for a random one")
	add(!slices.Contains([]string{"", responseModeQuery, responseModeFormPost}, c.ResponseMode),
		"ResponseMode %q is not supported: use query or form_post", c.ResponseMode)
	add(c.RequestObjects && c.ClientKey == nil, "RequestObjects needs a ClientKey that signs them")
	alg := func(field, alg string) {
		known := alg == "" || slices.Contains(asymmetric, jose.SignatureAlgorithm(alg))
		add(!known, "%s %q is none of %s", field, alg, asymmetric)
	}
	alg("IDTokenSignedResponseAlg", c.IDTokenSignedResponseAlg)
	alg("UserinfoSignedResponseAlg", c.UserinfoSignedResponseAlg)
	for i := range c.DecryptionKeys {
		errs = append(errs, checkPrivateKey(fmt.Sprintf("DecryptionKeys[%d]", i), &c.DecryptionKeys[i]))
	}
	method := c.TokenEndpointAuthMethod
	add(!slices.Contains(authMethods, method), "TokenEndpointAuthMethod %q is not one of Core §9", method)
	add(method == oidc.AuthMethodPrivateJWT && c.ClientKey == nil, "private_key_jwt needs a ClientKey")
	add(method == oidc.AuthMethodSecretJWT && len(c.ClientSecret) < 32,
		"client_secret_jwt needs a ClientSecret of at least 32 bytes (RFC 7518 §3.2)")
	add(c.ClientSecret == "" && (method == oidc.AuthMethodBasic || method == oidc.AuthMethodPost),
		"%s needs a ClientSecret", method)
	errs = append(errs, checkSigningKey("ClientKey", c.ClientKey), checkSigningKey("DPoPKey", c.DPoPKey))
	return errors.Join(errs...)
}

// checkURL accepts an absolute https URL without fragment. http is for loopback hosts only (RFC 9700 §2.6).
func checkURL(field, value string, required bool) error {
	if value == "" && !required {
		return nil
	}
	u, err := url.Parse(value)
	switch {
	case err != nil || oidc.Origin(value) == "" || u.User != nil:
		return fmt.Errorf("rp: %s %q is not an absolute http(s) URL, such as https://app.example.com/callback", field, value)
	case strings.Contains(value, "#"):
		return fmt.Errorf("rp: %s %q has a fragment: remove the # and the text after it", field, value)
	case u.Scheme == "http" && !oidc.IsLoopback(u.Hostname()):
		return fmt.Errorf("rp: %s %q is plain http to another machine: use https", field, value)
	}
	return nil
}

// checkIssuer: Discovery §3, "using the https scheme with no query or fragment components".
func checkIssuer(value string) error {
	err := checkURL("Issuer", value, true)
	if err == nil && strings.Contains(value, "?") {
		err = fmt.Errorf("rp: Issuer %q has a query: remove the ? and the text after it (Discovery §3)", value)
	}
	return err
}

// checkOrigin accepts scheme, host and port. Plain http is allowed: the back channel may be a network of its own.
func checkOrigin(field, value string) error {
	if value == "" || strings.TrimSuffix(strings.ToLower(value), "/") == oidc.Origin(value) {
		return nil
	}
	return fmt.Errorf("rp: %s %q is not of the form http://host:port: give the address without a path", field, value)
}

// checkSigningKey accepts a private key that can sign by its own alg, or nil.
func checkSigningKey(field string, key *jose.JSONWebKey) error {
	if err := checkPrivateKey(field, key); key == nil || err != nil {
		return err
	}
	signer, err := jose.NewSigner(signingKeyOf(key), nil)
	if err == nil {
		_, err = signer.Sign(nil)
	}
	if err != nil || !slices.Contains(asymmetric, jose.SignatureAlgorithm(key.Algorithm)) {
		return fmt.Errorf("rp: %s does not sign by its alg %s: %w", field, key.Algorithm,
			errors.Join(err, errors.New("use one of RFC 7518 §3.1 that fits the key")))
	}
	return nil
}

// checkPrivateKey accepts a private key with an alg, or nil.
func checkPrivateKey(field string, key *jose.JSONWebKey) error {
	switch {
	case key == nil:
		return nil
	case key.IsPublic() || !key.Valid():
		return fmt.Errorf("rp: %s is not a private key", field)
	case key.Algorithm == "":
		return fmt.Errorf("rp: %s has no alg: say for which algorithm it is registered, such as ES256", field)
	}
	return nil
}

// essentialACRs are the acr values of an essential claims request (Core §5.5.1.1): the ID Token must have one of them.
// Empty: any acr is accepted.
func (c Config) essentialACRs() (values []string) {
	acr := cmp.Or(c.Claims, &oidc.ClaimsRequest{}).IDToken["acr"]
	if acr == nil || !acr.Essential {
		return nil
	}
	for _, value := range append(slices.Clone(acr.Values), acr.Value) {
		if text, ok := value.(string); ok {
			values = append(values, text)
		}
	}
	return values
}

func (c Config) redirectURI(silent bool) string {
	if silent {
		return c.SilentRedirectURI
	}
	return c.RedirectURI
}
