// Package login serves the pages of the sign-in: password, choice of an account, consent. They are plain forms that
// work without script. Each ends in a redirect to the waiting authorization request, or to the home page:
//
//	/login ───────────► Users.Authenticate ► Sessions.SignIn ──┐
//	/select_account ──► Sessions.Select ───────────────────────┼──► /authorize?interaction=…  (or /)
//	/consent ─────────► Consents.Remember ─────────────────────┘
//
// Every form carries a CSRF token, which the server checks before the handler runs. Package idp/limit counts wrong
// passwords.
//
// Where teaching ends: one factor, and no way to reset a password.
package login
