// angular-auth-oidc-client. Vite serves the application, and Angular compiles it in the browser.

import { signIn, singlePageApp } from "./harness/spa.js";

singlePageApp("angular-auth-oidc-client", {
  signedOut: /login_required/,
  reason: "redirect.unregistered",
  mistake: async ({ tab, change }) => {
    await change("/auth.ts", "http://localhost:5173/silent-renew.html", "http://localhost:5173/silent.html");
    await signIn(tab);
    await tab.click("#renew");
  },
});
