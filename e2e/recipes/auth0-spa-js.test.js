// auth0-spa-js, whose provider is always https. The application is http, so both are two sites, and the provider's cookie is a
// third-party cookie in the iframe.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("auth0-spa-js", {
  issuer: "https://localhost:8080",
  args: ["--tls-self-signed"],
  cookies: "allowed",
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "claims.unasked",
  mistake: async ({ tab, provider }) => {
    await provider.console.do("PATCH", "/console/clients/spa", { id_token_claims: null });
    await signIn(tab);
  },
});
