// oidc-client-ts, in a page without a framework.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("oidc-client-ts", {
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "claims.unasked",
  mistake: async ({ tab, change }) => {
    await change("/auth.js", "loadUserInfo: true,", "");
    await signIn(tab);
  },
});
