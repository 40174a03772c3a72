// angular-oauth2-oidc. Vite serves the application, and Angular compiles it in the browser.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("angular-oauth2-oidc", {
  signedOut: /signed.out.*\[session\.signed_out\]/,
  reason: "grant_type.refused",
  mistake: async ({ tab, provider, change }) => {
    await change("/auth.ts", "useSilentRefresh: true", "useSilentRefresh: false");
    await provider.console.do("PATCH", "/console/clients/spa", { access_token_lifetime: "5s" }); // the library renews at 75 %
    await signIn(tab);
  },
});
