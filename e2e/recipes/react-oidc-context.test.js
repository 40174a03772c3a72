// react-oidc-context, in StrictMode.

import { clickSignIn, singlePageApp } from "./harness/spa.js";

singlePageApp("react-oidc-context", {
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "redirect.unregistered",
  mistake: async ({ tab, change }) => {
    await change("/auth.js", 'redirect_uri: "http://localhost:5173/",', "redirect_uri: location.origin,");
    await clickSignIn(tab);
  },
});
