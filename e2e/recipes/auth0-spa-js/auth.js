import { createAuth0Client } from "@auth0/auth0-spa-js";

export const auth0 = await createAuth0Client({
  domain: "localhost:8080", // the library writes https:// before it
  issuer: "https://localhost:8080",
  clientId: "spa",
  authorizationParams: { redirect_uri: "http://localhost:5173/", scope: "openid profile email" },
});
