// Package authorize is the authorization endpoint (RFC 6749 §3.1, Core §3.1.2): where a browser arrives with an
// authentication request and from where it leaves with a code, an error, or for a page that a person has to see.
//
//	parameters ─► returnAddress ─► parse ─► rules ─► session.Current ─► needs ─► grant.Issue ─► redirect with code
//	                   │                      │                           │                          ▲
//	                   ▼                      ▼                           ├─ prompt=none: error ─────┤
//	            page: unknown client,       error ────────────────────────┼──────────────────────────┘
//	            unregistered redirect_uri                                 └─ else: /login, /select_account, /consent,
//	                                                                           from where it begins anew
//
//	endpoint.go       the walk
//	returnaddress.go  ReturnAddress: the proof that client_id and redirect_uri were verified
//	request.go        Request: the parameters by their names
//	rules.go          is the request well formed? a table, in order
//	needs.go          must somebody see a page first? a table, in order
//	answer.go         response_mode: query, fragment, form_post
//
// Everything before a ReturnAddress exists can only end on a page: who redirects to an unverified address is an open
// redirector (RFC 9700 §4.11). Everything after it ends in exactly one redirect if the request says prompt=none, since
// nobody would see a page in a hidden iframe.
//
// Where teaching ends: request objects, pushed requests and the claims parameter are other rooms, not built yet; asking
// for the first two is answered with the error that Core §3.1.2.6 has for it.
package authorize
