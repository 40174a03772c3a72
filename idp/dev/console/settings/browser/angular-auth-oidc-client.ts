// docs/recipes/angular-auth-oidc-client.md has the rest of the application.

import { LogLevel, type PassedInitialConfig } from "angular-auth-oidc-client";

export const auth: PassedInitialConfig = {
  config: {
    authority: "{issuer}",
    clientId: "{client_id}",
    redirectUrl: "{redirect_uri}",
    postLogoutRedirectUri: "{post_logout_redirect_uri}",
    scope: "{scope}",
    responseType: "code",
    silentRenew: true, // in a hidden iframe, because useRefreshToken is not set
    silentRenewUrl: "{origin}/silent-renew.html",
    logLevel: LogLevel.Warn,
  },
};
