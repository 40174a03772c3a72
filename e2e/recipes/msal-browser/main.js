import { msal, scopes } from "./auth.js";

const element = (id) => document.getElementById(id);
const show = (result) => {
  if (!result) return;
  msal.setActiveAccount(result.account);
  element("name").textContent = result.account.name ?? "";
  element("token").textContent = result.accessToken.slice(-8);
};
const say = (error) => {
  element("error").textContent = error.message;
};

show(await msal.handleRedirectPromise().catch(say));
element("sign-in").onclick = () => msal.loginRedirect({ scopes });
element("renew").onclick = () => msal.acquireTokenSilent({ scopes, forceRefresh: true }).then(show, say);
element("sign-out").onclick = () => {
  const account = msal.getActiveAccount();
  return msal.logoutRedirect({ account, idTokenHint: account.idToken }); // without it the provider asks the user
};
