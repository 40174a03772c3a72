import { userManager } from "./auth.js";

if (location.pathname === "/callback") {
  await userManager.signinCallback(); // in a whole page, in a popup and in a hidden iframe
  if (window.self === window.top) location.replace("/");
} else {
  startApp();
}

async function startApp() {
  const element = (id) => document.getElementById(id);
  const show = (user) => {
    element("name").textContent = user?.profile.name ?? "";
    element("token").textContent = user?.access_token.slice(-8) ?? "";
  };
  const say = (error) => {
    element("error").textContent = error.message;
  };
  element("sign-in").onclick = () => userManager.signinRedirect().catch(say);
  element("renew").onclick = () => userManager.signinSilent().catch(say);
  element("sign-out").onclick = () => userManager.signoutRedirect().catch(say);
  userManager.events.addUserLoaded(show); // after each renewal
  show(await userManager.getUser());
}
