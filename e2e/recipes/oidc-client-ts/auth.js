import { UserManager } from "oidc-client-ts";

export const userManager = new UserManager({
  authority: "http://localhost:8080",
  client_id: "spa",
  redirect_uri: "http://localhost:5173/callback",
  post_logout_redirect_uri: "http://localhost:5173/",
  scope: "openid profile email",
  automaticSilentRenew: true, // 60 seconds before the access token expires
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  loadUserInfo: true, // name and email come from the userinfo endpoint (Core §5.4)
});
