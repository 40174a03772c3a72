// Package login is the room of the pages that a person sees: sign in, choose an account, allow. All are plain forms that work without script, and each ends in a redirect to where the person came from:
//
//	/login ───────────► Users.Authenticate ► Sessions.SignIn ──┐
//	/select_account ──► Sessions.Select ───────────────────────┼──► /authorize?interaction=…  (or the home page)
//	/consent ─────────► Consents.Remember ─────────────────────┘
//
// Every form carries a CSRF token, which the router checks before a handler runs.
//
// How often a password may be wrong is for Endpoint.Attempt to say (idp/limit).
//
// Where teaching ends: one factor, no reset of a password.
package login
