// docs/recipes/msal-browser.md has the rest of the application.

import { ProtocolMode, PublicClientApplication } from "@azure/msal-browser";

export const msal = new PublicClientApplication({
  auth: {
    clientId: "{client_id}",
    authority: "{https_issuer}/", // always https, even on this machine
    knownAuthorities: ["{host}"],
    redirectUri: "{redirect_uri}",
    postLogoutRedirectUri: "{post_logout_redirect_uri}",
  },
  system: { protocolMode: ProtocolMode.OIDC },
});
await msal.initialize();

export const scopes = ["profile", "email"]; // the library adds openid and offline_access
