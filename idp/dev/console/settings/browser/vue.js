// docs/recipes/vue.md has the rest of the application.

import { UserManager } from "oidc-client-ts";

export const userManager = new UserManager({
  authority: "{issuer}",
  client_id: "{client_id}",
  redirect_uri: "{redirect_uri}",
  post_logout_redirect_uri: "{post_logout_redirect_uri}",
  scope: "{scope}",
  automaticSilentRenew: true, // 60 seconds before the access token expires
  includeIdTokenInSilentRenew: true, // names the user, if several users are signed in
  loadUserInfo: true, // name and email come from the userinfo endpoint (Core §5.4)
});
