import type { AuthConfig } from "angular-oauth2-oidc";

export const auth: AuthConfig = {
  issuer: "http://localhost:8080",
  clientId: "spa",
  redirectUri: "http://localhost:5173/",
  postLogoutRedirectUri: "http://localhost:5173/",
  silentRefreshRedirectUri: "http://localhost:5173/silent-refresh.html",
  useSilentRefresh: true, // in a hidden iframe; otherwise the library needs a refresh token
  scope: "openid profile email",
  responseType: "code",
};
