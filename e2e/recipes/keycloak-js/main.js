import { check } from "./auth.js";

const element = (id) => document.getElementById(id);
const show = ({ authenticated, userInfo, token }) => {
  element("name").textContent = userInfo?.name ?? "";
  element("token").textContent = token?.slice(-8) ?? "";
  return authenticated;
};

let keycloak = await check();
show(keycloak);
element("sign-in").onclick = () => keycloak.login();
element("sign-out").onclick = () => keycloak.logout({ redirectUri: `${location.origin}/` });
element("renew").onclick = async () => {
  keycloak = await check();
  if (!show(keycloak)) element("error").textContent = "Nobody is signed in at the provider";
};
