// docs/recipes/oidc-spa.md has the rest of the application.

import { createOidc, oidcEarlyInit } from "oidc-spa/core";

oidcEarlyInit({ BASE_URL: "/" }); // the redirect URI: {redirect_uri}

export const oidc = await createOidc({
  issuerUri: "{issuer}",
  clientId: "{client_id}",
  scopes: ["profile", "email"], // and openid
});
