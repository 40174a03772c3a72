// Package authorize is the authorization endpoint (RFC 6749 §3.1, Core §3.1.2): where a browser arrives with an
// authentication request and from where it leaves with a code, an error, or for a page that a person has to see.
//
//	parameters ─► unpack ─► returnAddress ─► parse ─► rules ─► session.Current ─► needs ─► grant.Issue ─► answer with code
//	   ▲            │             │                     │                           │                          ▲
//	   │            ▼             ▼                     ▼                           ├─ prompt=none: error ─────┤
//	   │     request object,   page: unknown client,  error ────────────────────────┼──────────────────────────┘
//	   │     pushed request    unregistered redirect_uri                            └─ else: /login, /select_account, /consent,
//	   │                                                                                from where it begins anew
//	   └── push: a client posts them before, and they are judged up to the rules (RFC 9126)
//
//	endpoint.go       the walk
//	unpack.go         request and request_uri: the parameters come from elsewhere
//	push.go           /par: a client sends them ahead
//	returnaddress.go  ReturnAddress: the proof that client_id and redirect_uri were verified
//	request.go        Request: the parameters by their names
//	claims.go         the claims parameter
//	level.go          acr: which sign-ins reach which level
//	rules.go          is the request well formed? a table, in order
//	needs.go          must somebody see a page first? a table, in order
//	answer.go         response_mode: a table, and a file for each: query.go fragment.go formpost.go webmessage.go jarm.go
//
// Everything before a ReturnAddress exists can only end on a page: who redirects to an unverified address is an open
// redirector (RFC 9700 §4.11). Everything after it ends in exactly one answer to the client if the request says prompt=none,
// since nobody would see a page in a hidden iframe.
//
// Where teaching ends: the levels of authentication are those of the ways to sign in that there are, a password and, in
// development mode, one click. A second factor would be another page and another amr, and nothing here would change.
package authorize
