// docs/recipes/keycloak-js.md has the rest of the application.

import Keycloak from "keycloak-js";

const settings = { oidcProvider: "{issuer}", clientId: "{client_id}" };
const start = {
  onLoad: "check-sso", // in a hidden iframe, when the page loads
  silentCheckSsoRedirectUri: "{origin}/silent-check-sso.html",
  checkLoginIframe: false, // that iframe is one of Keycloak only
  redirectUri: "{redirect_uri}",
  scope: "{scope}",
};

/** Asks the provider, in a hidden iframe, who is signed in. Without a refresh token this is the way to a new token. */
export async function check() {
  const keycloak = new Keycloak(settings);
  await keycloak.init(start);
  if (keycloak.authenticated) await keycloak.loadUserInfo(); // name and email (Core §5.4)
  return keycloak;
}
