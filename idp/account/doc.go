// Package account is the page where a person sees where they are signed in and which apps have access, and ends either.
//
//	GET  /account            ─► sessions of everybody who is signed in with this browser, and what they allowed
//	POST /account/sessions   ─► the sign-in of a sid, or those in all other browsers ─► SignOutSID ─► Tell
//	POST /account/apps       ─► the consent of a client, and its refresh tokens ─► Forget
//
// A form is obeyed only about those who are signed in with the browser that sends it. Signing out of this browser is for /logout,
// which the page leads to: the apps' iframes belong to it.
//
//	endpoint.go  the page and its forms
//	view.go      what it shows
//
// Where teaching ends: a product would ask for the password again before it shows this, and write to the person when somebody signs in
// from a browser that is new.
package account
