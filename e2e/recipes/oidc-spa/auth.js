import { createOidc, oidcEarlyInit } from "oidc-spa/core";

oidcEarlyInit({ BASE_URL: "/" }); // the redirect URI: http://localhost:5173/

export const oidc = await createOidc({
  issuerUri: "http://localhost:8080",
  clientId: "spa",
  scopes: ["profile", "email"], // and openid
});
