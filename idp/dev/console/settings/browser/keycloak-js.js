// docs/recipes/keycloak-js.md has the rest of the application.

import Keycloak from "keycloak-js";

const settings = { oidcProvider: "{issuer}", clientId: "{client_id}" };
const start = {
  onLoad: "check-sso", // in a hidden iframe, when the page loads
  silentCheckSsoRedirectUri: "{origin}/silent-check-sso.html",
  checkLoginIframe: false, // only Keycloak has the page for that iframe
  redirectUri: "{redirect_uri}",
  scope: "{scope}",
};

/** Gets new tokens in a hidden iframe, if a user is signed in at the provider. It needs no refresh token. */
export async function check() {
  const keycloak = new Keycloak(settings);
  await keycloak.init(start);
  if (keycloak.authenticated) await keycloak.loadUserInfo(); // name and email (Core §5.4)
  return keycloak;
}
