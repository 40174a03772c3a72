// Package idp is the house: it puts the provider's rooms together, gives each its path, and renders every error in one
// place.
//
//	Config ─► New ─► Provider (an http.Handler)
//	                    │ request id, log, recover, limits, headers        routes.go
//	                    ├─ /.well-known/openid-configuration, /jwks        discovery.go
//	                    ├─ /authorize            idp/authorize             endpoints.go
//	                    ├─ /token                idp/token                 endpoints.go
//	                    ├─ /userinfo                                       userinfo.go
//	                    ├─ /register             idp/registration          registration.go
//	                    ├─ /device …             idp/device                device.go
//	                    ├─ /login /consent …     idp/login, idp/logout
//	                    └─ /                                               home.go
//
// Rooms below it: session (who is signed in), grant (codes and consents), keys (signing), users, clients, interaction
// (a request that waits for a person), pages (what a person sees). In development mode besides: lab (failures on purpose), console (the window).
//
// Where teaching ends: state is in memory unless New is given another Store; keys are made at start unless the
// configuration names files, or the Store outlives the process and cookie_keys are configured to encrypt them with.
package idp
