// The test of a server-side application that shows a name.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { freePort } from "../../../scripts/port.js";
import { openChromium } from "../../harness/browser.js";
import { clickLogin } from "../../harness/person.js";
import { startApp } from "./app.js";
import { startProvider } from "./provider.js";

/** @typedef {import("../../../scripts/program.js").Program} Program */

/**
 * alice signs in, and the page greets her.
 * @param {string} recipe
 * @param {{ args: string[], signIn: string, env: (origin: string) => NodeJS.ProcessEnv, reason: string }} how args of Node;
 *   signIn is the page; reason is that of a missing name
 */
export function greets(recipe, { args, signIn, env, reason }) {
  describe(recipe, () => {
    /** @type {Program[]} */
    const programs = [];
    /** @type {import("../../harness/browser.js").Opened} */
    let chromium;
    /** @type {import("./provider.js").Provider} */
    let provider;
    let origin = "";
    before(async () => {
      const port = await freePort();
      origin = `http://localhost:${port}`;
      provider = await startProvider(recipe);
      programs.push(provider.program);
      const more = { ISSUER: provider.issuer, ...env(origin) };
      const node = args.map((arg) => arg.replace("PORT", String(port)));
      programs.push(await startApp(process.execPath, node, { port, path: "/", env: more }));
      chromium = await openChromium("blocked");
    });
    after(async () => {
      await chromium?.close();
      for (const program of programs) await program.stop();
    });

    /** What the page says after alice signed in. */
    async function greeting() {
      const context = await chromium.browser.createBrowserContext();
      const page = await context.newPage();
      await page.goto(origin + signIn);
      const button = await page.waitForSelector("form[action$='/signin/hush'] button");
      await Promise.all([page.waitForNavigation(), button?.click()]);
      await clickLogin(page, "alice");
      await page.waitForFunction((app) => location.href === `${app}/`, {}, origin);
      const text = await page.$eval("body", (body) => body.textContent);
      await context.close();
      return text;
    }

    test("shows the name of the user who signed in", async () => {
      assert.match(await greeting(), /Hello, Alice Archer/);
    });

    test("shows no name without id_token_claims, and the console says why", async () => {
      await provider.console.do("PATCH", `/console/clients/${recipe}`, { id_token_claims: null });
      assert.match(await greeting(), /Hello, somebody without a name/);
      await provider.console.flowWith(reason);
    });
  });
}
