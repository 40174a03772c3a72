// Command demo-app is a relying party for trying the provider: two small apps that sign users in and renew their tokens
// silently, and the API that accepts those tokens.
//
//	/spa/         the single-page app: oidc-client-ts in the browser; its scripts are in static/demo/spa
//	/web/         the server-side app: package rp stores the tokens; its page's scripts are in static/demo/web
//	/both/        the two apps side by side; static/demo/both
//	/tokens/      refresh token or hidden iframe, DPoP, revocation, monitorSession; static/demo/tokens
//	/lessons/     eleven failures to cause and repair; static/demo/lessons
//	/api/me       the protected API: package rp verifies the access token
//	/config.json  the settings of the single-page app: issuer, client_id, redirect_uri, scope
//
// One process serves several pairs of host names, each a site of its own: see layouts.go.
//
// Where teaching ends and production begins: the server-side app's sessions are in memory and its cookie keys are made
// at start, so a restart signs all its users out; a product gives package rp a store and keys. The pages show decoded
// tokens, which a product has no reason to do. TLS is left to a proxy.
package main
