import { createAuth0Client } from "@auth0/auth0-spa-js";

// The provider needs an https issuer, such as --issuer https://localhost:8080 --tls-self-signed, and aliases for the
// paths that this library uses: hush.yaml has them.
export const auth0 = await createAuth0Client({
  domain: "localhost:8080", // the library writes https:// before it
  issuer: "https://localhost:8080",
  clientId: "spa",
  authorizationParams: { redirect_uri: "http://localhost:5173/", scope: "openid profile email" },
});
