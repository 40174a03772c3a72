// Package console is the developer's window into the provider: what happens, live, and the switches to make something
// else happen. It is a page, /console, and below it a small HTTP API that the page, the demo and tests use.
//
//	request ──► guards ──► routes
//	            Host         GET /events, /flows            what the trace saw         trace.Hub
//	            Origin       /faults, /clock                what goes wrong, and when  lab.Lab
//	            no Origin    /sessions, /clients, /keys     what the provider has      session, clients, keys
//	            CSRF token   POST /reports                  what only the application sees
//	                         GET /probe                     did the cookie reach an iframe?
//
// Nobody signs in to the console, so the guards are all there is: it answers at the provider's own names only (against
// DNS rebinding), to the provider's own pages and to listed origins, and it changes nothing without the token that only
// these can read. The provider opens it in development mode on a loopback issuer, and nowhere else.
//
// Both the guards and the routes are tables: guard.go and routes.go read as what they forbid and offer.
//
// Where teaching ends: who may run programs on this machine may use the console. A console for production needs people
// who sign in, roles, and a log of what they did.
package console
