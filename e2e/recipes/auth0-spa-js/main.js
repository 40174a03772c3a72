import { auth0 } from "./auth.js";

const element = (id) => document.getElementById(id);
const show = async (options) => {
  element("token").textContent = (await auth0.getTokenSilently(options)).slice(-8);
  element("name").textContent = (await auth0.getUser())?.name ?? "";
};
const say = (error) => {
  element("error").textContent = error.message;
};

if (new URLSearchParams(location.search).has("state")) {
  await auth0.handleRedirectCallback().catch(say);
  history.replaceState({}, "", "/");
}
element("sign-in").onclick = () => auth0.loginWithRedirect();
element("renew").onclick = () => show({ cacheMode: "off" }).catch(say);
element("sign-out").onclick = async () => {
  const id_token_hint = (await auth0.getIdTokenClaims())?.__raw; // without it the provider asks the user first
  await auth0.logout({ logoutParams: { returnTo: "http://localhost:5173/", id_token_hint } });
};
if (await auth0.isAuthenticated()) await show().catch(say);
