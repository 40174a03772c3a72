// Package console is the developer's page in development mode, /console, and the HTTP API below it, which the page, the
// demo and tests use: it shows what happens in the provider, and changes it.
//
//	request ──► guards ──► routes
//	            Host         GET /events, /flows            what the trace saw         trace.Hub
//	            Origin       /faults, /clock                what goes wrong, and when  lab.Lab
//	            no Origin    /sessions, /clients, /keys     what the provider has      session, clients, keys
//	            CSRF token   POST /reports                  what only the application sees
//	                         GET /probe                     did the cookie reach an iframe?
//
// Nobody signs in to the console, so it exists on a loopback issuer only. It answers at the provider's own names only
// (against DNS rebinding), to the provider's own pages and to listed origins, and changes nothing without the token
// that only these can read.
//
// Where teaching ends: every program on this machine may use the console. A console for production needs sign-in,
// roles, and a log of all changes.
package console
