// Package fedcm is the provider's side of FedCM, the Federated Credential Management API: the browser itself asks the
// user with which account to sign in to an app, and sends the requests. They carry the session cookie although the
// browser blocks third-party cookies. The app gets an authorization code and redeems it at /token as always.
//
//	/.well-known/web-identity ─► /fedcm/config.json      public documents: where the endpoints are
//	/fedcm/accounts            the accounts of the session, for the browser's dialog; the app does not see the list
//	/fedcm/client_metadata     the app's policies, for the dialog
//	/fedcm/assertion ─► callers ─► assertions ─► Judge.Decide ─► {"token": code}
//	      │                                          └─ a page is needed ─► {"continue_on": page} ─► a pop-up window
//	      │                                                 page ─► /fedcm/continue ─► Decide ─► IdentityProvider.resolve
//	      └─ refused ─► {"error": …}
//	/fedcm/disconnect          the app gives back what the user granted it
//	/fedcm/login ─► /login ─► /fedcm/close               the pop-up window in which the user signs in
//
// The code follows the profile "FedCM for OAuth": the parameters of an authentication request are in the member params,
// and the token of the answer is a code. Judge is the authorization endpoint, so the same rules and needs hold here.
//
// What protects the requests that carry the cookie: a page cannot set Sec-Fetch-Dest, so webidentity proves that the
// browser sent the request by FedCM. Only the origin of the client may read the answer (CORS), and a code goes only to
// the origin of its redirect_uri. The endpoints set no session: signing in by FedCM changes nothing at the provider.
//
// Experimental: the API changes between versions of Chromium, and other browsers do not have it. A provider below a
// registrable domain must also serve the well-known document at that domain; this package serves it at the provider's
// own host only.
//
// https://w3c-fedid.github.io/FedCM/ and https://github.com/aaronpk/oauth-fedcm-profile
package fedcm
