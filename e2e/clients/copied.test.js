// The lines that the console gives developers to copy, run in an app of their own. e2e/shownfiles.test.js runs those of the documents.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { openChromium } from "../harness/browser.js";
import { clickLogin } from "../harness/person.js";
import { startProvider } from "../harness/provider.js";
import { inPackage, page, startSite } from "../harness/site.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("../harness/provider.js").Provider} */
let provider;
/** @type {import("../harness/browser.js").Opened} */
let chromium;

const client = {
  client_id: "spa",
  token_endpoint_auth_method: "none",
  redirect_uris: ["http://localhost/callback"],
  post_logout_redirect_uris: ["http://localhost/"],
  first_party: true,
};
const config = { clients: [client], aliases: { token: "/oauth/token", logout: "/v2/logout" } };

/** The lines of the console for a library. @param {string} library @returns {Promise<string>} */
async function fromConsole(library) {
  const tab = await chromium.browser.newPage();
  const response = await tab.goto(`${provider.issuer}/console/clients`);
  const { clients } = (await response?.json()) ?? {};
  await tab.close();
  return clients[0].settings.find((/** @type {any} */ shown) => shown.library === library).text;
}

/** As a script that keeps what the lines export. @param {string} lines */
function asScript(lines) {
  return lines
    .replace(/^import .*$/m, "")
    .replace(/export const \w+ =/, "globalThis.copied =")
    .replaceAll(/"http:\/\/localhost(:5173)?\//g, `location.origin + "/`);
}

/**
 * An app whose two pages have the copied lines.
 * @param {string} library the file that the page loads before
 * @param {string} names where that file puts the names that the lines import
 * @param {string} lines
 */
function startApp(library, names, lines) {
  const html = page("/library.js").replace("</body>", '<script type="module" src="/app.js"></script></body>');
  const script = `const { UserManager, createAuth0Client } = ${names};\n${asScript(lines)}`;
  return startSite({ "/": html, "/callback": html, "/library.js": inPackage(library), "/app.js": script });
}

/** Calls a method of what the app exports. @param {Page} tab @param {string} method @returns {Promise<any>} */
async function call(tab, method) {
  await tab.waitForFunction(() => "copied" in globalThis);
  return tab.evaluate(async (name) => {
    const result = await /** @type {any} */ (globalThis).copied[name]();
    return JSON.parse(JSON.stringify(result ?? null));
  }, method);
}

/**
 * Signs in, and finishes at the callback page.
 * @param {Page} tab
 * @param {string} origin
 * @param {{ redirect: string, finish: string }} methods
 */
async function signIn(tab, origin, { redirect, finish }) {
  await tab.goto(origin);
  await Promise.all([tab.waitForNavigation(), call(tab, redirect).catch(() => undefined)]);
  await clickLogin(tab, "alice");
  await tab.waitForFunction(() => location.pathname === "/callback" && "copied" in globalThis);
  await call(tab, finish);
}

/**
 * An app of oidc-client-ts knows the name of the user, also after a silent renewal.
 * @param {string} lines
 */
async function greets(lines) {
  const library = "oidc-client-ts/dist/browser/oidc-client-ts.js";
  const app = await startApp(library, "oidc", `${lines}\nif (parent !== window) copied.signinCallback();`);
  const context = await chromium.browser.createBrowserContext();
  const tab = await context.newPage();
  try {
    await signIn(tab, app.origin, { redirect: "signinRedirect", finish: "signinCallback" });
    assert.match((await call(tab, "getUser")).profile.name, /^Alice/);
    await call(tab, "signinSilent");
    assert.match((await call(tab, "getUser")).profile.name, /^Alice/);
  } finally {
    await context.close();
    await app.stop();
  }
}

describe("copied lines, at an http issuer", () => {
  before(async () => {
    provider = await startProvider(config, { host: "localhost" });
    chromium = await openChromium("blocked");
  });
  after(async () => {
    await chromium?.close();
    await provider?.stop();
  });
  test("the console's, for oidc-client-ts", async () => greets(await fromConsole("oidc-client-ts")));
});

describe("copied lines, at an https issuer", () => {
  before(async () => {
    provider = await startProvider(config, { host: "localhost", tls: true });
    chromium = await openChromium("allowed", ["--ignore-certificate-errors"]); // http and https are two sites
  });
  after(async () => {
    await chromium?.close();
    await provider?.stop();
  });
  test("the console's, for auth0-spa-js", async () => {
    const lines = await fromConsole("auth0-spa-js");
    const app = await startApp("@auth0/auth0-spa-js/dist/auth0-spa-js.production.js", "auth0", lines);
    const tab = await chromium.browser.newPage();
    try {
      await signIn(tab, app.origin, { redirect: "loginWithRedirect", finish: "handleRedirectCallback" });
      assert.equal((await call(tab, "getIdTokenClaims")).sub, "alice");
      await tab.goto(app.origin); // the library keeps its tokens in memory, so this page renews
      assert.equal((await call(tab, "getTokenSilently")).split(".").length, 3);
      assert.equal((await call(tab, "getIdTokenClaims")).sub, "alice");
    } finally {
      await tab.close();
      await app.stop();
    }
  });
});
