// keycloak-js with a provider that is not Keycloak.

import { singlePageApp } from "./harness/spa.js";

singlePageApp("keycloak-js", {
  signedOut: /^Nobody is signed in at the provider$/,
  reason: "redirect.unregistered",
  mistake: async ({ tab, change }) => {
    await change("/auth.js", "/silent-check-sso.html", "/silent.html");
    await tab.goto("http://localhost:5173/");
  },
});
