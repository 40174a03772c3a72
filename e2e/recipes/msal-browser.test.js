// MSAL browser, whose provider is always https. The application is http, so both are two sites, and the provider's cookie is a
// third-party cookie in the iframe.

import { clickSignIn, singlePageApp } from "./harness/spa.js";

singlePageApp("msal-browser", {
  issuer: "https://localhost:8080",
  args: ["--tls-self-signed"],
  cookies: "allowed",
  signedOut: /signed out.*\[session\.signed_out\]/,
  reason: "redirect.unregistered",
  mistake: async ({ tab, change }) => {
    await change("/auth.js", "http://localhost:5173/redirect.html", "http://localhost:5173/");
    await clickSignIn(tab);
  },
});
