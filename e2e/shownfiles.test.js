// The code that the documents show: the files of e2e/docs, as they are, in Chromium with third-party cookies blocked.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { clickLogin } from "./harness/person.js";
import { startShown } from "./harness/shown.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./harness/shown.js").Shown} Shown */

/**
 * Tests that share an app, a provider and a browser.
 * @param {string} title
 * @param {() => Promise<Shown>} start
 * @param {(scene: (sentence: string, tell: (shown: Shown, tab: Page) => Promise<void>) => void) => void} define
 */
function shown(title, start, define) {
  describe(title, () => {
    /** @type {Shown} */
    let started;
    before(async () => {
      started = await start();
    });
    after(() => started?.stop());
    define((sentence, tell) => {
      test(sentence, async () => {
        const tab = await started.browser.newPage();
        await tell(started, tab);
        await tab.close();
      });
    });
  });
}

const onePage = { "/": "single-page-app.js", "/callback": "single-page-app.js" };
const shortLived = { access_token_lifetime: "62s" }; // oidc-client-ts renews 60 seconds before

shown(
  "single-page-app.js",
  () => startShown("http://localhost:5173", onePage, shortLived),
  (scene) => {
    scene("signs in, greets, renews by itself, and signs out", async ({ app }, tab) => {
      const silent = silentRequests(tab);
      await tab.goto(app);
      await clickLogin(tab, "alice");
      await tab.waitForFunction(() => document.body.textContent === "Hello Alice Archer");
      assert.equal((await userOf(tab))?.profile.email, "alice@example.com");
      const before = silent.length;
      await until(() => silent.length > before, "a renewal without a call");
      assert.ok(silent.at(-1)?.has("id_token_hint"), `${silent.at(-1)}`);
      await call(tab, "/single-page-app.js", ({ userManager }) => void userManager.signoutRedirect());
      await tab.waitForSelector("#login-as-alice"); // the page at post_logout_redirect_uri asks for a sign-in again
    });
  },
);

/**
 * Calls what a file of the page exports.
 * @template [Given=undefined]
 * @param {Page} tab
 * @param {string} file
 * @param {(exported: any, given: Given) => any} act
 * @param {Given} [given]
 * @returns {Promise<any>}
 */
function call(tab, file, act, given) {
  const source = `async (file, given) => (${act})(await import(file), given)`;
  return tab.evaluate(`(${source})(${JSON.stringify(file)}, ${JSON.stringify(given)})`);
}

/** The user that oidc-client-ts keeps in the tab. @param {Page} tab @returns {Promise<any>} */
function userOf(tab) {
  return tab.evaluate(() => JSON.parse(sessionStorage.getItem("oidc.user:http://localhost:8080:spa") ?? "null"));
}

/** The parameters of silent requests, as they come. @param {Page} tab */
function silentRequests(tab) {
  const silent = /** @type {URLSearchParams[]} */ ([]);
  tab.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname === "/authorize" && searchParams.get("prompt") === "none") silent.push(searchParams);
  });
  return silent;
}

/** @param {() => unknown} isSo @param {string} what in words */
async function until(isSo, what) {
  for (const deadline = AbortSignal.timeout(30_000); !(await isSo()); ) {
    if (deadline.aborted) throw new Error(`there is no ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
