// What Check my app says of the headers of an app's pages is what Chromium does with them: a renewal in the iframe and a
// sign-in in a popup work if the check holds, and do not if it fails.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { paths } from "./clients/usermanager.js";
import { setStorageAccess } from "./harness/access.js";
import { openChromium } from "./harness/browser.js";
import { client, fetched, renew, signIn, withApp } from "./harness/checkedapp.js";
import { startProvider } from "./harness/provider.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** @type {import("./harness/provider.js").Provider} */
let provider;
/** @type {import("./harness/browser.js").Opened} */
let chromium;

/** A sign-in in a popup. It returns whether the app got an answer. @param {Page} tab @returns {Promise<boolean>} */
function popup(tab) {
  return tab.evaluate(() => {
    const { manager } = /** @type {any} */ (globalThis);
    const late = new Promise((resolve) => setTimeout(resolve, 3000, false));
    return Promise.race([
      late,
      manager.signinPopup().then(
        () => true,
        () => false,
      ),
    ]);
  });
}

const embedder = { "cross-origin-embedder-policy": "require-corp" };
const opener = (/** @type {string} */ value) => ({ "cross-origin-opener-policy": value });
const policy = (/** @type {string} */ value) => ({ "content-security-policy": value });

/** The headers of the page of the app and of the callback page, and whether it works. */
const rows = /** @type {const} */ ([
  ["app.embedder", renew, embedder, {}, false],
  ["app.embedder", renew, embedder, embedder, true],
  ["app.opener", popup, opener("same-origin"), {}, false],
  ["app.opener", popup, opener("same-origin-allow-popups"), {}, true],
  ["app.opener", popup, {}, opener("same-origin-allow-popups"), false],
  ["app.sandbox", renew, policy("sandbox allow-scripts allow-same-origin allow-forms"), {}, true],
  ["app.frame_src", renew, policy("frame-src 'self'"), {}, false],
  ["app.frame_src", renew, policy("frame-src PROVIDER"), {}, false],
  ["app.frame_src", renew, policy("frame-src 'self' PROVIDER"), {}, true],
  ["app.connect_src", renew, policy("connect-src 'self'"), {}, false],
  ["app.connect_src", renew, policy("connect-src PROVIDER"), {}, true],
  ["callback.framable", renew, {}, policy("frame-ancestors 'none'"), false],
  ["callback.framable", renew, {}, { ...policy("frame-ancestors 'self'"), "x-frame-options": "DENY" }, true],
  ["callback.framable", renew, {}, { "x-frame-options": "SAMEORIGIN" }, true],
  ["callback.scripts", renew, {}, policy("script-src 'none'"), false],
  ["callback.scripts", renew, {}, policy("sandbox allow-scripts"), false],
  ["callback.scripts", renew, {}, policy("script-src 'self'"), true],
  ["app.sandbox", renew, policy("sandbox allow-scripts"), {}, false],
]);

/** Lines of Permissions-Policy on the page of the app, and whether the provider in an iframe may use the FEATURE. */
const permissions = /** @type {[string[], boolean][]} */ ([
  [["FEATURE=*"], true],
  [["FEATURE=(*)"], true],
  [['FEATURE=("*")'], true],
  [["FEATURE=(self)"], false],
  [["FEATURE=()"], false],
  [['FEATURE=(self "PROVIDER")'], true],
  [['FEATURE=(self "PROVIDER/path");report-to=there'], true],
  [['FEATURE=(self "http://*:PORT")'], true],
  [['FEATURE=(self "http://localhost")'], false], // another port
  [['FEATURE=(self "localhost:PORT")'], false], // no scheme
  [['FEATURE=("PROVIDER")'], false], // the app itself may not
  [["FEATURE=*, FEATURE=()"], false],
  [["FEATURE=()", "camera=(), FEATURE=*"], true],
  [["FEATURE=(), camera=("], true], // a mistake makes the whole header void
]);

/**
 * Frames a page of the provider. It returns whether the page may use the feature.
 * @param {Page} tab
 * @param {string} feature
 */
async function mayUse(tab, feature) {
  const src = `${provider.issuer}/storage_access?${new URLSearchParams({ client_id: "app", origin: new URL(tab.url()).origin })}`;
  await tab.evaluate(
    (allow, address) =>
      new Promise((resolve) => {
        const frame = Object.assign(document.createElement("iframe"), { src: address, allow });
        frame.addEventListener("load", resolve);
        document.body.append(frame);
      }),
    `${feature} *`,
    src,
  );
  const frame = await (await tab.$("iframe"))?.contentFrame();
  return frame?.evaluate(async (name) => {
    const allowed = /** @type {any} */ (document).featurePolicy.allowsFeature(name);
    if (name !== "storage-access") return allowed;
    const got = await document.requestStorageAccess().then(
      () => true,
      () => false,
    );
    return got === allowed ? got : `allowsFeature says ${allowed}, and requestStorageAccess ${got}`;
  }, feature);
}

describe("what Check my app says of headers is what Chromium does", () => {
  before(async () => {
    provider = await startProvider({ clients: [client] }, { host: "localhost" });
    chromium = await openChromium("blocked", ["--disable-popup-blocking"]);
  });
  after(async () => {
    await chromium?.close();
    await provider?.stop();
  });

  for (const [check, act, start, callback, works] of rows) {
    test(`${check}: ${JSON.stringify(start)}, callback page ${JSON.stringify(callback)}`, () => {
      const headers = /** @type {Record<string, Record<string, string>>} */ ({});
      return withApp({ provider, chromium }, { headers }, async (tab, site) => {
        await signIn(tab, site);
        const text = JSON.stringify({ "/": start, [paths.callback]: callback });
        Object.assign(headers, JSON.parse(text.replaceAll("PROVIDER", provider.issuer)));
        await tab.goto(site.origin); // from now on the pages have the headers
        assert.equal(await act(tab), works);
        const finding = (await fetched(provider)).find((one) => one.check === check);
        assert.equal(finding?.outcome, works ? "holds" : "fails", JSON.stringify(finding));
      });
    });
  }

  for (const feature of ["storage-access", "identity-credentials-get"])
    test(`app.permissions: lists for ${feature}`, () => {
      const headers = /** @type {Record<string, any>} */ ({});
      return withApp({ provider, chromium }, { host: "app.localhost", headers }, async (tab, site) => {
        await signIn(tab, site);
        const stage = { app: site.origin, issuer: provider.issuer };
        await setStorageAccess(chromium.browser, stage, "granted", tab.browserContext());
        const words = { FEATURE: feature, PROVIDER: provider.issuer, PORT: new URL(provider.issuer).port };
        for (const [lines, works] of permissions) {
          const filled = (/** @type {string} */ line) =>
            Object.entries(words).reduce((text, [word, value]) => text.replaceAll(word, value), line);
          headers["/"] = { "permissions-policy": lines.map(filled) };
          await tab.goto(site.origin);
          assert.equal(await mayUse(tab, feature), works, `Chromium: ${lines.join()}`);
          const finding = (await fetched(provider)).find(({ check }) => check === "app.permissions");
          assert.equal(finding?.outcome, works ? "holds" : "fails", `${lines.join()}: ${JSON.stringify(finding)}`);
        }
      });
    });
});
