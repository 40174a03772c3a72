// docs/recipes/auth0-spa-js.md has the rest of the application.

import { createAuth0Client } from "@auth0/auth0-spa-js";

// The provider needs an https issuer, such as --issuer {https_issuer} --tls-self-signed, and aliases for the
// paths that this library uses: hush.yaml has them.
export const auth0 = await createAuth0Client({
  domain: "{host}", // the library writes https:// before it
  issuer: "{https_issuer}",
  clientId: "{client_id}",
  authorizationParams: { redirect_uri: "{redirect_uri}", scope: "{scope}" },
});
