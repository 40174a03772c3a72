import Keycloak from "keycloak-js";

const settings = { oidcProvider: "http://localhost:8080", clientId: "spa" };
const start = {
  onLoad: "check-sso", // in a hidden iframe, when the page loads
  silentCheckSsoRedirectUri: "http://localhost:5173/silent-check-sso.html",
  checkLoginIframe: false, // only Keycloak has the page for that iframe
  redirectUri: "http://localhost:5173/",
  scope: "openid profile email",
};

/** Gets new tokens in a hidden iframe, if a user is signed in at the provider. It needs no refresh token. */
export async function check() {
  const keycloak = new Keycloak(settings);
  await keycloak.init(start);
  if (keycloak.authenticated) await keycloak.loadUserInfo(); // name and email (Core §5.4)
  return keycloak;
}
