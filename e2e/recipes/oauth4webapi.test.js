// oauth4webapi in the browser, with an iframe that the app makes.

import { clickSignIn, singlePageApp } from "./harness/spa.js";

singlePageApp("oauth4webapi", {
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "pkce.missing",
  mistake: async ({ tab, change }) => {
    await change("/auth.js", "code_challenge: await", "challenge: await");
    await clickSignIn(tab);
  },
});
