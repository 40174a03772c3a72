// Package console is the developer's page in development mode, /console, and the HTTP API below it, which the page, the
// demo and tests use: it shows the requests and records of the provider, and changes the records.
//
//	request ──► guards ──► routes
//	            Host         GET /events, /flows, /cookies  recorded requests          trace.Hub
//	            Origin       /faults, /clock                failures, and the time     lab.Lab
//	            no Origin    /users, /clients, /sessions    records of the provider    users, clients, session
//	            CSRF token   POST /tokens, /reset           without a sign-in          token.Direct
//	                         GET /requests, /callback       requests by hand           parameters
//	                         POST /jwt, /preview            tokens, explained          oidc.IDTokenRules, claims
//	                         GET /checks                   what is wrong with an app check.Judge
//	                         POST /reports                  observations of the application
//	                         GET /probe                     did the cookie reach an iframe?
//	                         GET /openapi.json              the document about all of them
//
// A route says what it takes and gives, and a test makes the OpenAPI document of the routes.
//
// Nobody signs in to the console, so it exists on a loopback issuer only. It answers at the provider's own names only
// (against DNS rebinding), to the provider's own pages and to listed origins. A change by a page needs the token, which
// only these pages can read; a program sends JSON instead, which no page of another origin can send unasked.
//
// Where teaching ends: every program on this machine may use the console. A console for production needs sign-in,
// roles, and a log of all changes.
package console
