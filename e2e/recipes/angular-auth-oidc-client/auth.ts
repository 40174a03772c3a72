import { LogLevel, type PassedInitialConfig } from "angular-auth-oidc-client";

export const auth: PassedInitialConfig = {
  config: {
    authority: "http://localhost:8080",
    clientId: "spa",
    redirectUrl: "http://localhost:5173/",
    postLogoutRedirectUri: "http://localhost:5173/",
    scope: "openid profile email",
    responseType: "code",
    silentRenew: true, // in a hidden iframe, because useRefreshToken is not set
    silentRenewUrl: "http://localhost:5173/silent-renew.html",
    logLevel: LogLevel.Warn,
  },
};
