package idp

import (
	"net/http"
	"slices"
	"time"

	"github.com/hush-idp/hush/idp/access"
	"github.com/hush-idp/hush/idp/authorize"
	"github.com/hush-idp/hush/idp/clientauth"
	"github.com/hush-idp/hush/idp/clients"
	"github.com/hush-idp/hush/idp/device"
	"github.com/hush-idp/hush/idp/discovery"
	"github.com/hush-idp/hush/idp/dpop"
	"github.com/hush-idp/hush/idp/endpoint"
	"github.com/hush-idp/hush/idp/fedcm"
	"github.com/hush-idp/hush/idp/keys"
	"github.com/hush-idp/hush/idp/limit"
	"github.com/hush-idp/hush/idp/login"
	"github.com/hush-idp/hush/idp/logout"
	"github.com/hush-idp/hush/idp/pages"
	"github.com/hush-idp/hush/idp/registration"
	"github.com/hush-idp/hush/idp/session"
	"github.com/hush-idp/hush/idp/storageaccess"
	"github.com/hush-idp/hush/idp/token"
	"github.com/hush-idp/hush/idp/userinfo"
	"github.com/hush-idp/hush/oidc"
	"github.com/hush-idp/hush/static"
	"github.com/hush-idp/hush/storage"
)

// PathReasons is the path below which development mode serves a page about each reason code.
const PathReasons = endpoint.PathReasons + "/"

// endpoints builds all endpoints of one issuer, one literal for each, without those of development mode. It completes
// metadata before the first request.
func (c *common) endpoints(
	config Config, sessions *session.Manager, parts Parts, devices *device.Devices, metadata *oidc.Metadata,
	byHost map[string]*oidc.Metadata,
) []endpoint.Endpoint {
	issuer, release, errors := config.Issuer, config.Release(), errorsOf(config.Issuer, c.deps.Development)
	auth := &clientauth.Authenticator{
		Issuer: issuer, TokenEndpoint: issuer + token.Path, Clients: parts.Clients, Keys: c.clientKeys,
		Assertions: storage.NewBucket[time.Time]("assertion", c.deps.Store), Now: c.deps.Now,
		Development: config.Development(), BackChannel: config.BackChannel(),
	}
	tokens := c.accessTokens(config, parts.Signer)
	proofs := &dpop.Checker{
		Issuer: issuer, Nonces: c.nonces, RequireNonce: config.DPoP.RequireNonce,
		Used: storage.NewBucket[time.Time]("dpop", c.deps.Store), Now: c.deps.Now,
		BackChannel: config.BackChannel(),
	}
	hints := &access.Hints{Issuer: issuer, Keys: c.keys, Clients: c.clients, Subjects: c.subjects}
	interactions := session.Seal[session.Interaction]{Purpose: session.ForAuthorize, SealTerms: c.sealTermsAt(issuer)}
	defaultAlg := keys.DefaultAlg(config.SigningKeys)
	judge := c.judge(config, sessions, parts, shared{auth, devices, hints, interactions}, proofs)
	all := slices.Concat(
		(&discovery.Endpoint{Issuer: issuer, Metadata: metadata, ByHost: byHost, Keys: c.keys}).Endpoints(),
		judge.Endpoints(),
		(&fedcm.Endpoint{
			Issuer: issuer, Judge: judge, Clients: parts.Clients, Sessions: parts.Recognise, Users: c.users,
			Browsers: sessions, Subjects: c.subjects, Consents: c.consents, Interactions: interactions, Pages: c.pages,
			Errors: errors, Now: c.deps.Now,
		}).Endpoints(),
		(&token.Endpoint{
			Issuer: issuer, Auth: auth, Proofs: proofs, Limit: c.limits.Token(),
			Grants: grantTypes(c, config, parts, tokens),
		}).Endpoints(),
		(&userinfo.Endpoint{
			Issuer: issuer, Audience: config.Audience, Tokens: tokens, Clients: c.clients, ClientKeys: c.clientKeys,
			Users: c.users, Keys: c.keys, DPoP: proofs, Release: release, Errors: errors,
		}).Endpoints(),
		(&access.Revocation{
			Issuer: issuer, Auth: auth, Grants: c.grants, Tokens: tokens, Limit: c.limits.Guesses(),
		}).Endpoints(),
		(&access.Introspection{
			Issuer: issuer, Auth: auth, Clients: c.clients, Grants: c.grants, Tokens: tokens,
			Signer: parts.Signer, Algs: algs(config), DefaultAlg: defaultAlg, Now: c.deps.Now, Limit: c.limits.Guesses(),
		}).Endpoints(),
		(&registration.Endpoint{
			Issuer: issuer, Config: config.Registration, Tickets: ticketSeal(c.sealTerms), Clients: c.clients.Registered,
			Fetch: c.fetch, Metadata: metadata, Provided: config.Provided(), SigningAlg: defaultAlg,
			Development: config.Loopback(), Random: c.deps.Random, Limit: c.limits.Registration(), Errors: errors,
		}).Endpoints(),
	)
	return c.pageEndpoints(config, sessions, parts, shared{auth, devices, hints, interactions}, all)
}

// judge is the authorization endpoint. FedCM asks it too.
func (c *common) judge(
	config Config, sessions *session.Manager, parts Parts, s shared, proofs *dpop.Checker,
) *authorize.Endpoint {
	issuer := config.Issuer
	return &authorize.Endpoint{
		Issuer: issuer, Scopes: config.KnownScope(), Resources: config.KnownResources(), Levels: config.ACRValues,
		Release: config.Release(), Clients: parts.Clients, Sessions: parts.Recognise, Grants: parts.Grants,
		Consents: parts.Consents, Auth: s.auth, Proofs: proofs, Users: c.users, Subjects: c.subjects, Hints: s.hints,
		Browsers: sessions, Interactions: s.interactions,
		Objects: &authorize.ObjectReader{Issuer: issuer, Keys: c.clientKeys, Documents: c.documents, Now: c.deps.Now},
		Pushed: &authorize.PushedRequests{
			Issuer:   issuer,
			Records:  storage.NewBucket[authorize.PushedRequest]("par", c.deps.Store),
			Lifetime: config.PAR.Lifetime, Now: c.deps.Now, Random: c.deps.Random,
		},
		Keys: c.keys, DefaultAlg: keys.DefaultAlg(config.SigningKeys), Pages: c.pages,
		Errors: errorsOf(issuer, c.deps.Development), Limit: c.limits.Push(), Now: c.deps.Now, Random: c.deps.Random,
	}
}

// shared are the parts that endpoints for programs and endpoints for people both use.
type shared struct {
	auth         *clientauth.Authenticator
	devices      *device.Devices
	hints        *access.Hints
	interactions session.Seal[session.Interaction]
}

// pageEndpoints adds the device flow, the pages for people, the files that belong to them, and aliases.
func (c *common) pageEndpoints(
	config Config, sessions *session.Manager, parts Parts, s shared, programs []endpoint.Endpoint,
) []endpoint.Endpoint {
	issuer, texts := config.Issuer, config.ScopeTexts()
	all := slices.Concat(
		programs,
		(&device.Authorization{
			Issuer: issuer, Auth: s.auth, Devices: s.devices, Scopes: config.KnownScope(),
			Resources: config.KnownResources(), Limit: c.limits.Push(),
		}).Endpoints(),
		(&device.Page{
			Issuer: issuer, Pages: c.pages, Clients: c.clients, Users: c.users, Sessions: sessions, Devices: s.devices,
			Interactions: s.interactions, ScopeTexts: texts, Addresses: c.limits.Addresses, WrongCodes: c.limits.WrongCodes,
		}).Endpoints(),
		(&login.Endpoint{
			Issuer: issuer, Pages: c.pages, Clients: c.clients, Users: c.users, Sessions: parts.Sessions, Consents: c.consents,
			Interactions: s.interactions, ScopeTexts: texts, OneClick: oneClick(config), Typed: c.typed,
			HintSignsIn: hintSignsIn(config),
			Limit:       c.limits.Login(), Addresses: c.limits.Addresses, Passwords: c.limits.Passwords,
		}).Endpoints(),
		(&logout.Endpoint{
			Issuer: issuer, Pages: c.pages, Clients: c.clients, Users: c.users, Sessions: parts.Sessions,
			Seal:   session.Seal[logout.Request]{Purpose: session.ForLogout, SealTerms: c.sealTermsAt(issuer)},
			Sender: c.sender, Hints: s.hints,
		}).Endpoints(),
		(&logout.Account{
			Issuer: issuer, Pages: c.pages, Clients: c.clients, Users: c.users, Sessions: sessions, Consents: c.consents,
			Grants: c.grants, ScopeTexts: texts, Sender: c.sender,
		}).Endpoints(),
		(&logout.CheckSession{Issuer: issuer, Pages: c.pages, Clients: c.clients, Sessions: sessions}).Endpoints(),
		(&storageaccess.Endpoint{
			Issuer: issuer, Pages: c.pages, Clients: c.clients, Users: c.users, Sessions: sessions,
			Interactions: s.interactions,
		}).Endpoints(),
		pages.Assets{
			"/static/idp/":    static.NewFiles(static.IDP()).Handler,
			"/static/shared/": static.NewFiles(static.Shared()).Handler,
		}.Endpoints(),
		(&discovery.Health{Keys: c.keys, Usable: c.deps.Usable}).Endpoints(),
		c.deps.Endpoints,
	)
	home := &discovery.Home{
		Issuer: issuer, Development: config.Development(), OptIns: config.OptIns(), Pages: c.pages, Users: c.users,
		Clients: c.clients, Sessions: sessions, Consents: c.consents, Served: all,
	}
	return slices.Concat(all, home.Endpoints(), aliases(config.Aliases, all))
}

// grantTypes are the grant types of the token endpoint.
func grantTypes(
	c *common, config Config, parts Parts, tokens *access.Tokens,
) token.GrantTypes {
	issuer := c.tokenIssuer(config, parts.Signer, tokens)
	lifetimes := lifetimesOf(config)
	return token.GrantTypes{
		oidc.GrantAuthorizationCode: &token.AuthorizationCode{Grants: parts.Grants, Issuer: issuer, Refresh: lifetimes},
		oidc.GrantRefreshToken: &token.RefreshToken{
			Grants: parts.Grants, Issuer: issuer, Refresh: lifetimes,
		},
		oidc.GrantClientCredentials: &token.ClientCredentials{
			Issuer: issuer, Scopes: config.KnownScope(), Resources: config.KnownResources(),
		},
		oidc.GrantDeviceCode: &token.DeviceCode{
			Devices: parts.Devices, Grants: parts.Grants, Issuer: issuer, Refresh: lifetimes,
		},
	}
}

// accessTokens are the access tokens of one issuer.
func (c *common) accessTokens(config Config, signer keys.Signer) *access.Tokens {
	return &access.Tokens{
		Issuer: config.Issuer, Subjects: c.subjects, Signer: signer, Keys: c.keys, Grants: c.grants, Now: c.deps.Now,
		Random: c.deps.Random, Records: storage.NewBucket[access.Token]("access", c.deps.Store), Users: c.users,
		Release: config.Release(),
	}
}

// tokenIssuer makes the tokens of one issuer.
func (c *common) tokenIssuer(config Config, signer keys.Signer, tokens *access.Tokens) *token.Issuer {
	return &token.Issuer{
		Issuer: config.Issuer, Audience: config.Audience, Access: tokens, Signer: signer, Keys: c.clientKeys,
		Users: c.users, Release: config.Release(), Now: c.deps.Now, Random: c.deps.Random,
	}
}

// oneClick tells at which host names a user may sign in without a password; nil: nowhere.
func oneClick(config Config) func(host string) bool {
	if !config.Development() {
		return nil
	}
	return config.IsLocal
}

// hintSignsIn tells for which requests login_hint signs in without a page; nil: for none.
func hintSignsIn(config Config) func(*http.Request) bool {
	if !config.LoginHintSignsIn {
		return nil
	}
	return config.Machine().Sent
}

func lifetimesOf(config Config) token.Refresh {
	return token.Refresh{Idle: config.Refresh.Idle, Absolute: config.Refresh.Absolute}
}

// direct makes tokens without a request of a client, and without the faults of development mode.
func (c *common) direct(config Config) token.Direct {
	return token.Direct{
		Issuer: c.tokenIssuer(config, c.keys, c.accessTokens(config, c.keys)), Grants: c.grants,
		Refresh: lifetimesOf(config),
	}
}

// describe makes the metadata: facts about the whole provider, and the description that each endpoint adds.
func describe(config Config, subjectTypes, languages []string, all []endpoint.Endpoint) oidc.Metadata {
	m := oidc.Metadata{
		Issuer:                              config.Issuer,
		ScopesSupported:                     config.KnownScope(),
		SubjectTypesSupported:               subjectTypes,
		IDTokenEncryptionAlgValuesSupported: oidc.EncryptionAlgs(),
		IDTokenEncryptionEncValuesSupported: oidc.EncryptionEncs(),
		IDTokenSigningAlgValuesSupported:    algs(config),
		ClaimTypesSupported:                 []string{"normal"},
		ClaimsSupported: append(
			[]string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr"},
			config.Release().Names(config.KnownScope())...),
		UILocalesSupported: languages,
	}
	for _, e := range all {
		if e.Describe != nil {
			e.Describe(&m)
		}
	}
	return m
}

// algs lists the algorithms of the signing keys.
func algs(config Config) (algs []string) {
	for _, key := range config.SigningKeys {
		algs = append(algs, string(key.Alg))
	}
	return algs
}

// aliases returns copies of endpoints at the additional paths of the configuration. auth0-spa-js needs them, because
// its paths cannot be configured. Its logout sends returnTo instead of post_logout_redirect_uri.
func aliases(paths map[string]string, all []endpoint.Endpoint) (more []endpoint.Endpoint) {
	main := map[string]string{} // the first path of each name
	for _, e := range all {
		if main[e.Name] == "" {
			main[e.Name] = e.Path
		}
		if path := paths[e.Name]; path != "" && e.Path == main[e.Name] {
			serve, own := e.Serve, e.Path
			e.Path, e.Describe = path, nil
			e.Serve = func(w http.ResponseWriter, r *http.Request) error { return serve(w, atOwnPath(r, own)) }
			more = append(more, e)
		}
	}
	return more
}

// atOwnPath returns a copy of the request with the endpoint's own path.
func atOwnPath(r *http.Request, own string) *http.Request {
	u := *r.URL
	u.Path, u.RawPath = own, ""
	query, err := oidc.ParseQuery(u.RawQuery)
	if err == nil && own == logout.Path && query.Has("returnTo") && !query.Has("post_logout_redirect_uri") {
		query.Set("post_logout_redirect_uri", query.Get("returnTo"))
		query.Del("returnTo")
		u.RawQuery = oidc.EncodeQuery(query)
	}
	moved := *r
	moved.URL = &u
	return &moved
}

// Validate returns all mistakes of a configuration completed by WithDefaults as Problems, or nil. It builds the list of
// endpoints only to check aliases against their names and paths. No endpoint of the list can serve.
func Validate(c Config) error {
	built, names := c, map[string]string{}
	built.Aliases = nil
	empty := &common{config: c, limits: &limit.Limits{}, clients: &clients.Register{}}
	for _, e := range empty.endpoints(built, &session.Manager{}, Parts{}, nil, nil, nil) {
		names[e.Path] = e.Name
	}
	return c.Check(names)
}
