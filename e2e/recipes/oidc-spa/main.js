import { oidc } from "./auth.js";

const element = (id) => document.getElementById(id);

if (oidc.isUserLoggedIn) {
  const show = ({ accessToken, decodedIdToken }) => {
    element("name").textContent = decodedIdToken.name ?? "";
    element("token").textContent = accessToken.slice(-8);
  };
  oidc.subscribeToTokensChange(show);
  element("renew").onclick = () => oidc.renewTokens();
  element("sign-out").onclick = () => oidc.logout({ redirectTo: "home" });
  show(await oidc.getTokens());
} else {
  element("sign-in").onclick = () => oidc.login();
}
