// Vue with oidc-client-ts as a composable.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("vue", {
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "callback.silent",
  mistake: async ({ tab, change }) => {
    await change(
      "/main.js",
      "await userManager.signinCallback();",
      "if (parent === window) await userManager.signinCallback();",
    );
    await signIn(tab);
    await tab.click("#renew");
  },
});
