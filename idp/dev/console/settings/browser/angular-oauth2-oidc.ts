// docs/recipes/angular-oauth2-oidc.md has the rest of the application.

import type { AuthConfig } from "angular-oauth2-oidc";

export const auth: AuthConfig = {
  issuer: "{issuer}",
  clientId: "{client_id}",
  redirectUri: "{redirect_uri}",
  postLogoutRedirectUri: "{post_logout_redirect_uri}",
  silentRefreshRedirectUri: "{origin}/silent-refresh.html",
  useSilentRefresh: true, // in a hidden iframe; otherwise the library needs a refresh token
  scope: "{scope}",
  responseType: "code",
};
