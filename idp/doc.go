// Package idp is the OpenID provider: it builds the endpoints and serves them over HTTP.
//
//	Config, Dependencies ─► New ─► Provider (an http.Handler)
//	                                 └─ site, one for each issuer
//	                                      └─ endpoints, each an endpoint.Endpoint          provider.go
//	                                           └─ routing, headers, guards, limits, logs   server.go
//	                                                └─ an error becomes an answer          errors.go
//
// The endpoints are in the packages below: authorize, token, userinfo, access, discovery, registration, device, login,
// logout. They use the packages clients, clientauth, dpop, session, grant, keys, users, pages, limit and fetch. Package
// dev adds development mode through the interfaces in observer.go; this package does not import it.
//
// Where teaching ends: state is in memory unless New gets another Store. Keys are made at start, with two exceptions:
// the configuration names files for them; or the Store outlives the process and cookie_keys are configured. Then the
// keys are in the Store, encrypted with cookie_keys.
package idp
