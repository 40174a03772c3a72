// The test of a single-page app. All of them show the same elements: #name, #token (the last letters of the access token),
// #error, and the buttons #sign-in, #renew and #sign-out.
//
// The files of a recipe have the addresses of the pages, http://localhost:8080 and http://localhost:5173. The browser maps them to
// the two programs of the test, which listen on free ports.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../../scripts/port.js";
import { mapped, openChromium } from "../../harness/browser.js";
import { clickLogin, text } from "../../harness/person.js";
import { startApp } from "./app.js";
import { endSessions, file, sessions, startProvider } from "./provider.js";

/** @typedef {import("puppeteer-core").Page} Page */
/** @typedef {import("./provider.js").Provider} Provider */

/**
 * A tab of a new browser profile, and the provider.
 * @typedef {object} Stage
 * @property {Page} tab
 * @property {Provider} provider
 * @property {(path: string, from: string, to: string) => Promise<void>} change replaces a text in a file of the app when the
 *   browser loads the file: the mistake of a developer
 */

/**
 * @typedef {object} App
 * @property {RegExp | string} signedOut matches #error when a renewal fails because the session at the provider has ended; or the
 *   selector of an element that the browser then shows, if the library leaves the page
 * @property {(stage: Stage) => Promise<void>} mistake makes the usual mistake of the page
 * @property {string} reason the code by which the console shows the mistake
 * @property {string} [issuer]
 * @property {string} [origin] of the application
 * @property {string[]} [args] of the provider
 * @property {import("../../harness/browser.js").ThirdPartyCookies} [cookies]
 */

/**
 * Defines the tests of a recipe that Vite serves.
 * @param {string} recipe
 * @param {App} app
 */
export function singlePageApp(recipe, app) {
  const { issuer = "http://localhost:8080", origin = "http://localhost:5173", args = [], cookies = "blocked" } = app;
  describe(recipe, () => {
    /** @type {Provider} */
    let provider;
    /** @type {import("../../../scripts/program.js").Program} */
    let vite;
    let port = 0;
    /** @type {import("../../harness/browser.js").Opened} */
    let chromium;
    before(async () => {
      provider = await startProvider(recipe, { issuer, args });
      port = await freePort();
      const options = [file(recipe), "--port", `${port}`, "--strictPort", "--host", "127.0.0.1"];
      vite = await startApp(process.execPath, [file("node_modules/vite/bin/vite.js"), ...options], { port, path: "/" });
      const flag = mapped({ [new URL(issuer).host]: provider.port, [new URL(origin).host]: port });
      chromium = await openChromium(cookies, [flag, "--ignore-certificate-errors"]);
    });
    after(async () => {
      await chromium?.close();
      await vite?.stop();
      await provider?.program.stop();
    });

    /** @param {string} sentence @param {(stage: Stage) => Promise<void>} tell */
    function scene(sentence, tell) {
      test(sentence, async () => {
        const context = await chromium.browser.createBrowserContext();
        const tab = await context.newPage();
        const journal = listen(tab);
        try {
          await provider.console.do("POST", "/console/reset");
          const change = (/** @type {[string, string, string]} */ ...how) => changeFile(tab, port, ...how);
          await tell({ tab, provider, change });
        } catch (error) {
          const shown = await text(tab, "body").catch(String);
          console.error(`=== ${tab.url()}\n${shown}\n${journal.join("\n")}\n${provider.program.output.slice(-2000)}`);
          throw error;
        } finally {
          await context.close();
        }
      });
    }

    scene("signs in, and shows the name", async ({ tab }) => {
      await signIn(tab, origin);
      await tab.waitForFunction(() => document.querySelector("#name")?.textContent === "Alice Archer");
    });

    scene("renews silently in a hidden iframe", async ({ tab }) => {
      await signIn(tab, origin);
      const first = await text(tab, "#token");
      await tab.click("#renew");
      await tab.waitForFunction((old) => document.querySelector("#token")?.textContent !== old, {}, first);
      const flow = await provider.console.flow(
        ({ silent, state }) => silent && state === "done",
        "prompt=none that is done",
      );
      assert.equal(flow.records?.find(({ endpoint }) => endpoint === "authorize")?.fetch?.dest, "iframe");
    });

    scene("says so when the session has ended at the provider", async ({ tab }) => {
      await signIn(tab, origin);
      await endSessions(provider.console);
      await tab.click("#renew");
      await refused(tab, app.signedOut);
      await provider.console.flowWith("session.signed_out");
    });

    scene("signs out at the provider too", async ({ tab }) => {
      await signIn(tab, origin);
      assert.equal((await sessions(provider.console)).length, 1);
      await Promise.all([tab.waitForNavigation(), tab.click("#sign-out")]);
      await tab.waitForFunction((home) => location.origin === home && document.querySelector("#token"), {}, origin);
      assert.equal(await text(tab, "#token"), "");
      assert.deepEqual(await sessions(provider.console), []);
    });

    scene(`shows the usual mistake as ${app.reason}`, async (stage) => {
      await app.mistake(stage);
      await provider.console.flowWith(app.reason);
    });
  });
}

/**
 * Opens the app, and goes to the provider.
 * @param {Page} tab
 */
export async function clickSignIn(tab, origin = "http://localhost:5173") {
  await tab.goto(origin, { waitUntil: "networkidle0" });
  await Promise.all([tab.waitForNavigation(), tab.click("#sign-in")]);
}

/**
 * Waits until the app shows that a renewal failed.
 * @param {Page} tab
 * @param {RegExp | string} how
 */
async function refused(tab, how) {
  if (typeof how === "string") return tab.waitForSelector(how);
  await tab.waitForFunction(() => document.querySelector("#error")?.textContent !== "");
  return assert.match(await text(tab, "#error"), how);
}

/**
 * Opens the app, and signs in by redirect with one click at the provider.
 * @param {Page} tab
 */
export async function signIn(tab, origin = "http://localhost:5173", name = "alice") {
  await clickSignIn(tab, origin);
  await clickLogin(tab, name);
  await tab.waitForFunction(
    (home) => location.origin === home && document.querySelector("#token")?.textContent,
    {},
    origin,
  );
}

/**
 * Replaces a text in a file of the app when the browser loads the file.
 * @param {Page} tab
 * @param {number} port of Vite
 * @param {string} path
 * @param {string} from
 * @param {string} to
 */
async function changeFile(tab, port, path, from, to) {
  const written = await (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  assert.ok(written.includes(from), `${path} has no ${from}:\n${written}`);
  const changed = { contentType: "text/javascript", body: written.replace(from, to) };
  await tab.setRequestInterception(true);
  tab.on("request", (request) =>
    new URL(request.url()).pathname === path ? request.respond(changed) : request.continue(),
  );
}

/** What the browser reports about the page, for the message of a test that fails. @param {Page} tab */
function listen(tab) {
  /** @type {string[]} */
  const lines = [];
  tab.on("console", (message) => lines.push(`${message.type()}: ${message.text()}`));
  tab.on("pageerror", (error) => lines.push(`page error: ${error}`));
  tab.on("requestfailed", (request) => lines.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  return lines;
}
