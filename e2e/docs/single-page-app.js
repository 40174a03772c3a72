import { UserManager } from "oidc-client-ts";

export const userManager = new UserManager({
  authority: "http://localhost:8080",
  client_id: "spa",
  redirect_uri: "http://localhost:5173/callback", // your own port
  post_logout_redirect_uri: "http://localhost:5173/",
  scope: "openid profile email",
  automaticSilentRenew: true,
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  loadUserInfo: true, // name and email come from the userinfo endpoint (Core §5.4)
});

if (location.pathname === "/callback") {
  await userManager.signinCallback(); // for redirect, popup and hidden iframe alike
  if (parent === self) location.replace("/");
} else {
  await userManager.signinSilent().catch(() => userManager.signinRedirect());
  const user = await userManager.getUser(); // anywhere; user.access_token is for your API
  document.body.textContent = `Hello ${user?.profile.name}`;
}
