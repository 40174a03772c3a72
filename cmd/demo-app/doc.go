// Command demo-app is a relying party to try the provider with: two small apps that sign people in and renew their
// tokens silently, and the API that those tokens open.
//
//	/spa/         the single-page app: oidc-client-ts in the browser; its scripts are in static/demo/spa
//	/web/         the server-side app: package rp holds the tokens; its page's scripts are in static/demo/web
//	/both/        the two ways side by side; static/demo/both
//	/tokens/      refresh token or hidden iframe, DPoP, revocation, monitorSession; static/demo/tokens
//	/lessons/     eleven failures to cause and repair; static/demo/lessons
//	/api/me       the protected API: package rp verifies the access token
//	/config.json  what the single-page app is told: issuer, client_id, redirect_uri, scope
//
// The rooms:
//
//	main.go        flags and environment, the two commands
//	config.go      the configuration, and what is derived from it
//	layouts.go     the pairs of host names that one process serves, each a site of its own
//	serve.go       listen, serve, stop in an orderly way
//	app.go         the routes
//	pages.go       the pages: html/template files of static/demo/pages
//	words.go       the captions of the four steps, for each app
//	lessons.go     the words of the lessons
//	assets.go      scripts and styles
//	web.go         what the server-side app's page asks its server
//	api.go         the API
//	middleware.go  security headers, request ids, the log line of a request, error answers
//
// Where teaching ends and production begins: the server-side app's sessions live in memory and its cookie keys are
// made at start, so a restart signs everybody out of it; a product gives package rp a store and keys. The page
// shows decoded tokens, which a product has no reason to do. TLS is left to a proxy.
package main
