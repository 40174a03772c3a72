// The settings of oidc-client-ts: copy these into your own app and change the first four.

/**
 * @param {import("../lib/config.js").Config} config
 * @returns {import("oidc-client-ts").UserManagerSettings}
 */
export function settings(config) {
  return {
    authority: config.issuer,
    client_id: config.client_id,
    redirect_uri: config.redirect_uri, // one page serves redirect, popup and hidden iframe
    post_logout_redirect_uri: config.post_logout_redirect_uri,
    scope: config.scope,

    // The ID token has the sub and the method; name, email and the rest come from the userinfo endpoint (Core §5.4),
    // unless the request asks for them in the ID token (Core §5.5). That saves a request at each renewal. A provider
    // that does not know the parameter needs loadUserInfo: true.
    extraQueryParams: { claims: JSON.stringify({ id_token: { name: null } }) },

    // Renews 60 seconds before the access token expires: with this demo's 90-second tokens, every 30 seconds.
    automaticSilentRenew: true,

    // Sends the ID token as id_token_hint: "renew for this person". Without it the provider could not choose when
    // several accounts are signed in there, and would answer account_selection_required.
    includeIdTokenInSilentRenew: true,

    // Without a limit, automatic renewal tries again after a timeout, every 5 seconds for ever, and says nothing.
    maxSilentRenewTimeoutRetries: 0,
  };
}
