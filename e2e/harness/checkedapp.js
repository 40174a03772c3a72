// A small app with oidc-client-ts that the console checks, and what the console finds.

import assert from "node:assert/strict";
import { call, openApp, paths, registered, startApp } from "../clients/usermanager.js";
import { Console } from "./console.js";
import { clickLogin } from "./person.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("../../static/idp/console/check.js").Finding} Finding */
/** @typedef {import("./provider.js").Provider} Provider */
/** @typedef {import("./site.js").Site} Site */
/** @typedef {{ provider: Provider, chromium: import("./browser.js").Opened }} Stage */

/** The path of a page for the iframe alone. */
export const silentPage = "/silent.html";

/** What the provider knows of the app: tokens live longer than any library's renewal offset. */
export const client = {
  ...registered,
  redirect_uris: [...registered.redirect_uris, `http://localhost${silentPage}`],
  access_token_lifetime: "10m",
};

/** How the right app configures oidc-client-ts. A renewal that gets no answer ends soon. */
export const settings = { includeIdTokenInSilentRenew: true, silentRequestTimeoutInSeconds: 2 };

/** @param {Provider} provider */
export function consoleOf({ issuer }) {
  const { port, protocol } = new URL(issuer);
  return new Console(/** @type {any} */ ({ issuer, idp: `${protocol}//127.0.0.1:${port}` }));
}

/**
 * Runs an app in a browser context of its own.
 * @param {Stage} stage
 * @param {{ host?: string, files?: Record<string, string>, headers?: Record<string, Record<string, string>> }} options
 * @param {(tab: Page, site: Site) => Promise<void>} tell
 */
export async function withApp({ provider, chromium }, { host = "localhost", files = {}, headers = {} }, tell) {
  await consoleOf(provider).do("POST", "/console/reset");
  const site = await startApp(provider.issuer, host, files, headers);
  const context = await chromium.browser.createBrowserContext();
  try {
    await tell(await context.newPage(), site);
  } finally {
    await context.close();
    await site.stop();
  }
}

/** @param {Page} tab @param {Site} site @param {object} [more] settings */
export async function signIn(tab, site, more = {}) {
  await openApp(tab, site.origin, { ...settings, ...more });
  await tab.evaluate(() => void (/** @type {any} */ (globalThis).manager.signinRedirect()));
  await clickLogin(tab, "alice");
  await tab.waitForFunction((path) => location.pathname === path && "manager" in globalThis, {}, paths.callback);
  await call(tab, "signinCallback");
  await tab.goto(site.origin);
}

/** A renewal. It returns whether there were tokens. @param {Page} tab @returns {Promise<boolean>} */
export function renew(tab) {
  return call(tab, "signinSilent").then(
    () => true,
    () => false,
  );
}

/** @param {Page} tab */
export async function signOut(tab) {
  await tab.evaluate(() => void (/** @type {any} */ (globalThis).manager.signoutRedirect()));
  await tab.waitForFunction((path) => location.pathname === path, {}, paths.signedOut);
}

/** The findings, after the pages were fetched. @param {Provider} provider @returns {Promise<Finding[]>} */
export async function fetched(provider) {
  return (await consoleOf(provider).do("POST", "/console/checks", { client_id: client.client_id })).findings;
}

/**
 * Asserts that a check fails, with a part of what was seen and a part of the remedy.
 * @param {Finding[]} findings
 * @param {string} name
 * @param {RegExp} seen
 * @param {RegExp} remedy
 */
export function assertFails(findings, name, seen, remedy) {
  const finding = findings.find(({ check }) => check === name);
  assert.equal(finding?.outcome, "fails", JSON.stringify(finding));
  assert.match(finding?.seen ?? "", seen);
  assert.match(finding?.remedy ?? "", remedy);
}

/** The names of the checks with this outcome. @param {Finding[]} findings @param {string} outcome */
export function named(findings, outcome) {
  return findings.filter((finding) => finding.outcome === outcome).map(({ check }) => check);
}
