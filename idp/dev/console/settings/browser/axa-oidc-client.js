// docs/recipes/axa-oidc-client.md has the rest of the application.

import { OidcClient } from "@axa-fr/oidc-client";

export const client = OidcClient.getOrCreate(() => fetch)({
  authority: "{issuer}",
  client_id: "{client_id}",
  redirect_uri: "{redirect_uri}",
  silent_redirect_uri: "{origin}/authentication/silent-callback",
  scope: "{scope}", // without offline_access: tokens are renewed in a hidden iframe
});
