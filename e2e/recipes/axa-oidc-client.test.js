// @axa-fr/oidc-client without a service worker.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("axa-oidc-client", {
  signedOut: /session\.signed_out/,
  reason: "renewal.looping",
  mistake: async ({ tab, provider }) => {
    await provider.console.do("PATCH", "/console/clients/spa", {
      access_token_lifetime: "90s",
      id_token_lifetime: "90s",
    });
    await signIn(tab);
  },
});
