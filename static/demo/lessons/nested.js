// Lesson 5: an app as many are. It boots wherever it is loaded, finds nobody signed in, and renews at once. In a hidden
// iframe it should only have passed the provider's answer on.

import { loadConfig } from "../lib/config.js";
import { settings } from "../spa/settings.js";

// A real app would begin another renewal in each iframe, for ever; this one stops at the second.
if (globalThis.oidc && window.parent !== window && window.parent === window.top) await boot(globalThis.oidc);

/** @param {typeof import("oidc-client-ts")} oidc */
async function boot(oidc) {
  const config = await loadConfig();
  const userStore = new oidc.WebStorageStateStore({ store: new oidc.InMemoryWebStorage() });
  const manager = new oidc.UserManager({
    ...settings(config),
    silent_redirect_uri: `${location.origin}/lessons/app.html`,
    silentRequestTimeoutInSeconds: 3,
    automaticSilentRenew: false,
    userStore,
  });
  await manager.signinSilent().catch(() => undefined); // nobody is told: that is the lesson
}
