// The pages that a person sees, in each of their languages, on a small phone.

import assert from "node:assert/strict";
import { thirdParty } from "./harness/clients.js";
import { sameSite } from "./harness/hush.js";
import { typeLogin } from "./harness/person.js";
import { authorizeURL } from "./harness/request.js";
import { scenes } from "./harness/story.js";

/** @typedef {import("puppeteer-core").Page} Page */

/** An app that has to ask for consent. */
const app = {
  client_id: thirdParty.client_id,
  redirect_uri: thirdParty.redirect_uris[0],
  scope: "openid profile email",
};
const place = /** @type {const} */ ({ layout: sameSite, cookies: "allowed", config: { clients: [thirdParty] } });

/** What is on each page, by the headings: a page that says the same in two languages was not translated. @type {Map<string, string>} */
const headings = new Map();

scenes("the pages", place, (scene) => {
  for (const language of ["en", "de", "es", "fr", "ja"]) {
    scene(
      `speak ${language} from signing in to signing out, and fit a screen of 320 pixels`,
      async ({ hush, newTab }) => {
        const { page } = await newTab();
        await page.setViewport({ width: 320, height: 640 });
        const ask = { ...app, ui_locales: `x-none ${language}` };

        await page.goto(authorizeURL(hush, { ...ask, prompt: "login" }));
        await speaks(page, "sign-in", language);
        await typeLogin(page, "alice", "wrong");
        await page.waitForSelector("#login-error");
        await speaks(page, "wrong password", language);
        await typeLogin(page, "alice");
        await page.waitForSelector("#consent-allow");
        await speaks(page, "consent", language);
        await page.goto(authorizeURL(hush, { ...ask, prompt: "select_account" }));
        await speaks(page, "account", language);
        await page.goto(authorizeURL(hush, { ...ask, redirect_uri: "https://elsewhere.test/" }));
        await speaks(page, "error", language);
        await page.goto(`${hush.issuer}/?ui_locales=${language}`);
        await speaks(page, "home", language);
        await page.goto(`${hush.issuer}/logout?ui_locales=${language}`);
        await speaks(page, "sign-out", language);
        await Promise.all([page.waitForNavigation(), page.click("#logout-confirm")]);
        await speaks(page, "signed out", language);
      },
    );
  }

  scene("speak the language of the browser where the app names none", async ({ hush, newTab }) => {
    const { page } = await newTab();
    await page.setExtraHTTPHeaders({ "Accept-Language": "fr-CH, fr;q=0.9, en;q=0.8" });
    await page.goto(authorizeURL(hush, { ...app, prompt: "login" }));
    assert.equal(await page.$eval("html", (html) => html.lang), "fr");
  });
});

/**
 * The page is in the language, unlike in any other, and does not scroll sideways.
 * @param {Page} page
 * @param {string} name
 * @param {string} language
 */
async function speaks(page, name, language) {
  assert.equal(await page.$eval("html", (html) => html.lang), language, name);
  const heading = await page.$eval("h1", (h1) => h1.textContent ?? "");
  const said = `${name}: ${heading}`;
  assert.equal(headings.get(said) ?? language, language, `${said} is said in ${headings.get(said)} too`);
  headings.set(said, language);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `the page ${name} is ${wide} pixels too wide in ${language}`);
}
