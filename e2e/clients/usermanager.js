// The site of oidcclientts.test.js: pages of an app whose whole code is one UserManager.

import { inPackage, page, startSite } from "../harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** Where sign-ins come back to, and where sign-outs do. */
export const paths = { callback: "/callback.html", signedOut: "/signedout.html" };

/** What the provider knows of the app. */
export const registered = {
  client_id: "app",
  client_name: "App",
  token_endpoint_auth_method: "none",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [`http://localhost${paths.callback}`, `http://app.localhost${paths.callback}`],
  post_logout_redirect_uris: [`http://localhost${paths.signedOut}`],
  first_party: true,
};

/**
 * The script of each page: the manager, with settings that a test left in localStorage, and a list of its events.
 * @param {string} issuer
 */
const app = (issuer) => `
  const { dpop, ...more } = JSON.parse(localStorage.getItem("settings") ?? "{}");
  const manager = new oidc.UserManager({
    authority: ${JSON.stringify(issuer)},
    client_id: "app",
    redirect_uri: location.origin + "${paths.callback}",
    post_logout_redirect_uri: location.origin + "${paths.signedOut}",
    popup_post_logout_redirect_uri: location.origin + "${paths.signedOut}",
    scope: "openid profile email",
    automaticSilentRenew: false,
    ...(dpop ? { dpop: { bind_authorization_code: true, store: new oidc.IndexedDbDPoPStore() } } : {}),
    ...more,
  });
  const happened = [];
  for (const name of ["UserLoaded", "UserUnloaded", "UserSignedIn", "UserSignedOut", "UserSessionChanged"]) {
    manager.events["add" + name](() => happened.push(name));
  }
  Object.assign(globalThis, { manager, happened });
`;

/** In a popup or an iframe the answer is for the page that opened it. In a whole window the test asks for it. */
const answered = `if (window.opener || window.parent !== window) manager.signinCallback();`;

/** signoutCallback, which finds out by itself, needs a state for that, and signoutSilent sends none. */
const signedOut = `
  if (window.parent !== window) manager.signoutSilentCallback();
  else if (window.opener) manager.signoutPopupCallback();
`;

/** The scripts of each page. */
export const scripts = ["/oidc-client-ts.js", "/app.js"];

/**
 * @param {string} issuer
 * @param {string} [host]
 * @param {Record<string, string>} [more] files
 * @param {Record<string, Record<string, string>>} [headers] by path
 */
export function startApp(issuer, host = "localhost", more = {}, headers = {}) {
  const files = {
    ...more,
    "/": page(...scripts),
    [paths.callback]: page(...scripts, "/answered.js"),
    [paths.signedOut]: page(...scripts, "/signed-out.js"),
    "/oidc-client-ts.js": inPackage("oidc-client-ts/dist/browser/oidc-client-ts.js"),
    "/app.js": app(issuer),
    "/answered.js": answered,
    "/signed-out.js": signedOut,
  };
  return startSite(files, { host, headers });
}

/**
 * Calls a method of the page's UserManager. Returns what can be written as JSON of what it returns.
 * @param {Page} tab
 * @param {string} method
 * @param {unknown[]} args
 * @returns {Promise<any>}
 */
export function call(tab, method, ...args) {
  return tab.evaluate(
    async (name, given) => {
      const { manager } = /** @type {any} */ (globalThis);
      const result = await manager[name](...given);
      return result === undefined ? null : JSON.parse(JSON.stringify(result));
    },
    method,
    args,
  );
}

/** The events that the page's UserManager raised so far. @param {Page} tab @returns {Promise<string[]>} */
export function events(tab) {
  return tab.evaluate(() => /** @type {any} */ (globalThis).happened);
}

/**
 * Opens the app with more settings.
 * @param {Page} tab
 * @param {string} origin
 * @param {object} [settings]
 */
export async function openApp(tab, origin, settings = {}) {
  await tab.goto(origin);
  await tab.evaluate((text) => localStorage.setItem("settings", text), JSON.stringify(settings));
  await tab.goto(origin);
}
