import { OidcClient } from "@axa-fr/oidc-client";

export const client = OidcClient.getOrCreate(() => fetch)({
  authority: "http://localhost:8080",
  client_id: "spa",
  redirect_uri: "http://localhost:5173/authentication/callback",
  silent_redirect_uri: "http://localhost:5173/authentication/silent-callback",
  scope: "openid profile email", // without offline_access: tokens are renewed in a hidden iframe
});
