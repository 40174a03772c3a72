// oidc-spa. It shows no error when the session has ended: it goes to the provider's sign-in page.

import { singlePageApp } from "./harness/spa.js";

singlePageApp("oidc-spa", {
  signedOut: "#login-as-alice",
  reason: "redirect.unregistered",
  mistake: async ({ tab, provider }) => {
    await provider.console.do("PATCH", "/console/clients/spa", { redirect_uris: ["http://localhost/callback"] });
    await tab.goto("http://localhost:5173/"); // the library sends a request when the page loads
  },
});
