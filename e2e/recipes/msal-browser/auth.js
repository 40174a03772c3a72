import { ProtocolMode, PublicClientApplication } from "@azure/msal-browser";

export const msal = new PublicClientApplication({
  auth: {
    clientId: "spa",
    authority: "https://localhost:8080/", // always https, even on this machine
    knownAuthorities: ["localhost:8080"],
    redirectUri: "http://localhost:5173/redirect.html",
    postLogoutRedirectUri: "http://localhost:5173/",
  },
  system: { protocolMode: ProtocolMode.OIDC },
});
await msal.initialize();

export const scopes = ["profile", "email"]; // the library adds openid and offline_access
