import { OidcClient } from "@axa-fr/oidc-client";
import { client } from "./auth.js";

const element = (id) => document.getElementById(id);
const show = async () => {
  element("token").textContent = client.tokens?.accessToken.slice(-8) ?? "";
  element("name").textContent = client.tokens ? (await client.userInfoAsync()).name : "";
};

if (location.pathname === "/authentication/silent-login") {
  const { scope, ...extras } = Object.fromEntries(new URLSearchParams(location.search));
  await client.loginAsync(undefined, extras, true, scope); // redirects the hidden iframe to the provider
} else if (location.pathname === "/authentication/silent-callback") {
  await client.silentLoginCallbackAsync(); // the provider sends the iframe here
} else if (location.pathname === "/authentication/callback") {
  await client.loginCallbackAsync();
  location.replace("/");
} else {
  client.subscribeEvents((name, data) => {
    if (name === OidcClient.eventNames.token_renewed) show();
    if (name === OidcClient.eventNames.silentLoginAsync_error) element("error").textContent = data.message;
  });
  element("sign-in").onclick = () => client.loginAsync("/");
  element("renew").onclick = () => client.renewTokensAsync();
  element("sign-out").onclick = () => client.logoutAsync("/");
  await client.tryKeepExistingSessionAsync();
  await show();
}
